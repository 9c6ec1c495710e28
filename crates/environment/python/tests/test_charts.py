"""Figures as data, beside the picture."""

import unittest
from typing import Any

from harness import Kernel, KernelCase, cell, has

CHART = "application/vnd.cellblock.chart+json"
PLT = "import datetime, matplotlib.pyplot as plt, numpy as np\n"


@unittest.skipUnless(has("matplotlib"), "no matplotlib")
class Charts(KernelCase):
    """All in one kernel, since the import takes the time; every test leaves no figure."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.shared = Kernel()
        cls.addClassCleanup(cls.shared.close)

    def setUp(self) -> None:
        self.kernel = self.shared

    def chart(self, code: str) -> dict[str, Any]:
        """The data of the one figure that this shows."""
        call = self.run_ok(PLT + cell(code))
        self.assertEqual((len(call.displays), call.stderr), (1, ""))
        self.assertEqual(list(call.displays[0]["data"]), ["text/plain", "image/png", CHART])
        return call.displays[0]["data"][CHART]

    def axes(self, code: str) -> dict[str, Any]:
        (axes,) = self.chart(code)["axes"]
        return axes

    def one(self, code: str) -> dict[str, Any]:
        (series,) = self.axes(code)["series"]
        return series

    def assert_has(self, told: dict[str, Any], **expected: Any) -> None:
        self.assertEqual({key: told.get(key) for key in expected}, expected)

    def test_bars_with_everything_that_is_written_around_them(self) -> None:
        chart = self.chart(
            """
            plt.bar(["north", "south"], [1, 2.5], label="2024")
            plt.title("Sales"); plt.suptitle("Regions"); plt.xlabel("Region"); plt.ylabel("Revenue (EUR)")
            plt.legend(title="Year"); plt.text(0, 1, "a  note")
            """
        )
        (axes,) = chart["axes"]
        self.assert_has(chart, title="Regions")
        self.assert_has(axes, kind="bar", title="Sales", legend="Year", texts=["a note"])
        self.assertEqual(axes["x"], {"label": "Region", "scale": "category", "categories": ["north", "south"]})
        self.assert_has(axes["y"], label="Revenue (EUR)", unit="EUR", scale="linear")
        self.assertEqual(
            axes["series"],
            [{"kind": "bar", "label": "2024", "color": "#1f77b4", "x": ["north", "south"], "y": [1, 2.5]}],
        )

    def test_bars_on_each_other_beside_each_other_and_lying(self) -> None:
        axes = self.axes("b = plt.bar(['a', 'b'], [1, 2]); plt.bar(['a', 'b'], [3, 4], bottom=[1, 2], yerr=[1, 0.5])")
        self.assertEqual(axes["arrangement"], "stacked")
        self.assert_has(axes["series"][1], y=[3, 4], base=[1, 2], y_low=[3, 5.5], y_high=[5, 6.5])
        axes = self.axes(
            "x = np.arange(2); plt.bar(x - .2, [1, 2], .4); plt.bar(x + .2, [3, 4], .4); plt.xticks(x, ['k', 'l'])"
        )
        self.assertEqual(axes["arrangement"], "grouped")
        self.assertEqual([each["x"] for each in axes["series"]], [["k", "l"], ["k", "l"]])
        self.assert_has(self.one("plt.barh(['a', 'b'], [1, 2])"), kind="barh", y=["a", "b"], x=[1, 2])

    def test_lines_over_dates_and_what_is_no_number(self) -> None:
        axes = self.axes(
            """
            days = [datetime.datetime(2024, 2, 28 + n) for n in range(2)]
            plt.plot(days, [1, np.nan], "r", label="t"); plt.yscale("log"); plt.axhline(2, label="goal")
            plt.ylabel("Temperature [°C]")
            """
        )
        self.assert_has(axes["y"], unit="°C", scale="log")
        self.assertEqual(axes["x"]["scale"], "date")
        self.assertEqual(
            axes["series"][0],
            {"kind": "line", "label": "t", "color": "#ff0000", "x": ["2024-02-28", "2024-02-29"], "y": [1, None]},
        )
        self.assert_has(axes["series"][1], label="goal", y=[2], x=None)
        hours = self.one("plt.plot([datetime.datetime(2024, 1, 1, h, 30) for h in (1, 2)], [1, np.inf])")
        self.assert_has(hours, x=["2024-01-01T01:30:00", "2024-01-01T02:30:00"], y=[1, None])

    def test_points(self) -> None:
        axes = self.axes("plt.scatter([1, 2], [3, 4], c=[.1, .2], s=[5, 6]); plt.colorbar(label='Depth [m]')")
        self.assertEqual(axes["colors"], {"label": "Depth [m]", "unit": "m"})
        self.assert_has(axes["series"][0], kind="scatter", x=[1, 2], y=[3, 4], values=[0.1, 0.2], sizes=[5, 6])
        self.assert_has(self.one("plt.plot([1, 2], [3, 4], 'o')"), kind="scatter", x=[1, 2])
        space = self.one("plt.figure().add_subplot(projection='3d').scatter([1], [2], [3])")
        self.assert_has(space, x=[1], y=[2], z=[3])

    def test_pie(self) -> None:
        axes = self.axes("plt.pie([1, 3], labels=['x', 'y'], autopct='%1.0f%%'); plt.title('Share')")
        self.assert_has(axes, kind="pie", title="Share", x=None)
        self.assert_has(axes["series"][0], labels=["x", "y"], percent=[25, 75], values=[1, 3])

    def test_boxes_standing_and_lying(self) -> None:
        for lying in (False, True):
            series = self.one(
                f"plt.boxplot([[1, 2, 3, 4, 100], [2, 3, 4]], tick_labels=['p', 'q'], patch_artist={lying},"
                f" orientation={'horizontal' if lying else 'vertical'!r})"
            )
            self.assertEqual(
                series["boxes"][0],
                {"label": "p", "median": 3, "q1": 2, "q3": 4, "low": 1, "high": 4, "outliers": [100]},
            )
            self.assert_has(series["boxes"][1], label="q", median=3, outliers=[])

    def test_histogram(self) -> None:
        series = self.one("plt.hist([1, 2, 2, 3, 3, 3], bins=2)")
        self.assert_has(series, kind="histogram", values=[1, 5], to=[2, 3])
        self.assertEqual(series["from"], [1, 2])
        self.assertEqual(self.one("plt.bar([1, 2, 3], [1, 2, 3])")["kind"], "bar")

    def test_two_axes_in_one_place(self) -> None:
        chart = self.chart(
            """
            figure, left = plt.subplots()
            left.plot([1, 2]); left.set_ylabel("Heat (K)")
            right = left.twinx(); right.bar([0, 1], [30, 40]); right.set_ylabel("Rain (mm)")
            left.secondary_yaxis("right", functions=(lambda k: k - 273, lambda c: c + 273)).set_ylabel("Heat (°C)")
            """
        )
        first, second = chart["axes"]
        self.assertEqual(first["secondary"], [{"axis": "y", "label": "Heat (°C)", "unit": "°C"}])
        self.assert_has(second, kind="bar", twin_of=0, shares="x")
        self.assertEqual((first["y"]["unit"], second["y"]["unit"]), ("K", "mm"))

    def test_areas_errors_stems_and_images(self) -> None:
        error, area = self.axes(
            "plt.errorbar([1, 2], [4, 5], yerr=.5, xerr=1); plt.fill_between([1, 2], [1, 2], [3, 4], label='f')"
        )["series"]
        self.assert_has(error, kind="line", y=[4, 5], y_low=[3.5, 4.5], y_high=[4.5, 5.5], x_low=[0, 1], x_high=[2, 3])
        self.assert_has(area, kind="area", label="f", low=[1, 2], high=[3, 4])
        self.assert_has(self.one("plt.fill_betweenx([1, 2], [3, 4], [5, 6])"), y=[1, 2], low=[3, 4], high=[5, 6])
        self.assert_has(self.one("plt.stem([5, 6])"), y=[5, 6])
        self.assert_has(self.one("plt.imshow([[1, 2], [3, 4]])"), kind="heatmap", values=[[1, 2], [3, 4]], high=4)
        self.assert_has(self.one("plt.imshow(np.zeros((2, 3, 3)))"), kind="image", pixels=[2, 3, 3])

    def test_axes_in_axes_and_round_ones(self) -> None:
        chart = self.chart("a = plt.gca(); a.plot([1, 2]); a.inset_axes([.5, .5, .4, .4]).scatter([3], [4])")
        self.assertEqual([each["kind"] for each in chart["axes"]], ["line", "scatter"])
        axes = self.axes(
            """
            axes = plt.subplot(projection="polar")
            axes.plot([0, 2, 4], [1, 2, 3]); axes.set_xticks([0, 2, 4], ["speed", "range", "price"])
            """
        )
        self.assert_has(axes, projection="polar", kind="line")
        self.assertEqual(axes["series"][0]["x"], ["speed", "range", "price"])

    def test_times_of_tasks(self) -> None:
        series = self.one(
            """
            start = np.array(["2024-01-01", "2024-01-03"], dtype="datetime64[D]")
            plt.barh(["a", "b"], np.array([2, 3], dtype="timedelta64[D]"), left=start)
            """
        )
        self.assert_has(series, y=["a", "b"], base=["2024-01-01", "2024-01-03"], x=["2024-01-03", "2024-01-06"])

    def test_many_artists_take_no_time(self) -> None:
        call = self.run_ok(
            PLT
            + cell(
                """
                import time
                from cellblock_kernel import charts
                from matplotlib.lines import Line2D
                figure, axes = plt.subplots(); plt.close()
                for _ in range(4_000): axes.add_line(Line2D([0, 1], [0, 1]))
                begun = time.process_time(); chart = charts.chart(figure)
                print(time.process_time() - begun < 2, chart["axes"][0]["series_left_out"] > 3_900)
                """
            )
        )
        self.assertEqual(call.stdout, "True True\n")

    def test_what_is_not_understood_is_named(self) -> None:
        axes = self.axes(
            "plt.contourf(np.arange(16).reshape(4, 4)); plt.quiver([1], [1]); plt.axline((0, 0), slope=1);"
            "plt.hexbin([1, 2], [3, 4])"
        )
        others = {"AxLine", "QuadContourSet", "Quiver"}
        self.assertEqual((axes["kind"], axes["series"], others - {*axes["others"]}), ("other", [], set()))
        solid = self.axes("plt.figure().add_subplot(projection='3d').bar3d([1], [1], [0], [1], [1], [1])")
        self.assert_has(solid, kind="other", projection="3d", others=["Poly3DCollection"])

    def test_millions_of_points_are_thinned_and_take_no_time(self) -> None:
        call = self.run_ok(
            PLT
            + cell(
                """
                import io, json, time
                from cellblock_kernel import charts
                n = 1_000_000
                plt.scatter(np.arange(n), np.arange(n)); plt.plot(np.arange(n)); plt.plot([1, 2], [3, 4])
                figure = plt.gcf(); plt.close()
                figure.savefig(io.BytesIO())
                times = []
                for _ in range(5):
                    begun = time.process_time(); chart = charts.chart(figure)
                    times.append(time.process_time() - begun)
                series = chart["axes"][0]["series"]
                print(min(times) < 0.1, len(json.dumps(chart)) < 100_000)
                print([(each.get("shown"), each.get("of"), len(each["x"])) for each in series])
                print([(each["x"][0], each["x"][-1]) for each in series])
                """
            )
        )
        self.assertEqual(
            call.stdout,
            "True True\n[(999, 1000000, 999), (999, 1000000, 999), (None, None, 2)]\n"
            "[(0, 999999), (0, 999999), (1, 2)]\n",
        )

    def test_texts_axes_and_series_are_bounded(self) -> None:
        chart = self.chart(
            """
            figure, all_axes = plt.subplots(5, 5)
            for axes in all_axes.flat: axes.set_title("long " * 100)
            for _ in range(50): all_axes[0][0].plot([1, 2])
            """
        )
        self.assertEqual((len(chart["axes"]), chart["axes_left_out"]), (20, 5))
        self.assertEqual((len(chart["axes"][0]["series"]), chart["axes"][0]["series_left_out"]), (40, 10))
        self.assertEqual(len(chart["axes"][0]["title"]), 200)

    def test_every_way_to_show_a_figure_gives_its_data_once(self) -> None:
        draw = PLT + "figure, axes = plt.subplots(); axes.plot([1, 2])\n"
        for code in ("plt.show()", "figure.show()", "display(figure)", "plt.close(); display(figure); plt.show()", ""):
            call = self.run_ok(draw + code)
            self.assertEqual([CHART in each["data"] for each in call.displays], [True], code)
        call = self.run_ok(draw + "plt.close()\nfigure")
        self.assertIn(CHART, call.result["data"])
        call = self.run_ok("%config InlineBackend.figure_formats = ['svg']\n" + draw)
        self.run_ok("%config InlineBackend.figure_formats = ['png']")
        self.assertEqual(sorted(call.displays[0]["data"]), [CHART, "image/svg+xml", "text/plain"])

    def test_a_call_that_shows_very_much_gets_its_pictures_without_their_data(self) -> None:
        call = self.run_ok(PLT + "for _ in range(30): plt.plot(np.random.rand(2000)); plt.show()")
        self.assertEqual(len(call.images), 30)
        told = [CHART in each["data"] for each in call.displays]
        self.assertEqual((told[0], told[-1]), (True, False))
        self.assertIn(CHART, self.run_ok("plt.plot([1])").displays[0]["data"])

    def test_a_figure_that_cannot_be_told_is_shown(self) -> None:
        call = self.run_ok(
            PLT
            + cell(
                """
                from matplotlib.lines import Line2D
                class Strange(Line2D):
                    def get_xdata(self, orig=True): raise RuntimeError("no")
                    def draw(self, renderer): pass
                plt.gca().add_artist(Strange([1], [2]))
                """
            )
        )
        self.assertEqual(([list(each["data"]) for each in call.displays], call.stderr), ([["text/plain", "image/png"]], ""))

    def test_errors_in_what_is_watched_are_the_users(self) -> None:
        call = self.run_raised(PLT + "plt.boxplot([[1], [2]], positions=[1])", "ValueError")
        self.assertNotIn("cellblock_kernel", call.traceback)
        signatures = "import inspect; print(inspect.signature(plt.Axes.pie), inspect.signature(plt.Axes.bxp))"
        self.assertIn("autopct", self.run_ok(signatures).stdout)

    def test_nothing_is_imported_for_it(self) -> None:
        with Kernel() as kernel:
            call = kernel.run("import sys; display(1)\nprint({'numpy', 'cellblock_kernel.charts'} & {*sys.modules})")
            self.assertEqual((call.stdout, call.stderr), ("set()\n", ""))

    @unittest.skipUnless(has("pandas"), "no pandas")
    def test_what_pandas_draws(self) -> None:
        self.run_ok("import pandas as pd")
        axes = self.axes("pd.DataFrame({'a': [1, 2], 'b': [3, 4]}, index=['u', 'v']).plot.bar(stacked=True)")
        self.assert_has(axes, kind="bar", arrangement="stacked")
        self.assertEqual([(each["label"], each["x"]) for each in axes["series"]], [("a", ["u", "v"]), ("b", ["u", "v"])])
        months = self.one("pd.Series([1, 2], index=pd.date_range('2024-01-01', periods=2, freq='MS')).plot()")
        self.assert_has(months, x=["2024-01-01", "2024-02-01"], y=[1, 2])
        boxes = self.one("pd.DataFrame({'c': list('aabb'), 'v': [1, 2, 3, 4]}).boxplot(by='c', column='v')")["boxes"]
        self.assertEqual([(each["label"], each["median"]) for each in boxes], [("a", 1.5), ("b", 3.5)])

    @unittest.skipUnless(has("seaborn"), "no seaborn")
    def test_what_seaborn_draws(self) -> None:
        self.run_ok("import seaborn as sns, pandas as pd")
        self.run_ok("d = pd.DataFrame({'c': list('aabb') * 2, 'h': list('xyxy') * 2, 'v': range(8)})")
        axes = self.axes("sns.barplot(d, x='c', y='v', hue='h', errorbar=None)")
        self.assertEqual(
            [(each["label"], each["x"], each["y"]) for each in axes["series"]],
            [("x", ["a", "b"], [2, 4]), ("y", ["a", "b"], [3, 5])],
        )
        boxes = self.one("sns.boxplot(d, x='c', y='v', hue='h')")["boxes"]
        self.assertEqual(
            [(each["label"], each["group"], each["median"]) for each in boxes],
            [("a", "x", 2), ("b", "x", 4), ("a", "y", 3), ("b", "y", 5)],
        )
        axes = self.axes("sns.scatterplot(d, x='v', y='v', hue='h')")
        self.assertEqual([(each["label"], each["x"]) for each in axes["series"]], [("x", [0, 2, 4, 6]), ("y", [1, 3, 5, 7])])


if __name__ == "__main__":
    unittest.main()
