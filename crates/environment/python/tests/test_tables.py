"""Frames and series as data, beside their text and HTML."""

import sys
import unittest
from typing import Any

from harness import Kernel, KernelCase, cell, has

TABLE = "application/vnd.dataresource+json"


class TableCase(KernelCase):
    """All in one kernel, since the import takes the time."""

    module = ""
    shared: Kernel

    @classmethod
    def setUpClass(cls) -> None:
        if not has(cls.module):
            sys.stderr.write(f"SKIPPED, LOUDLY: the interpreter under test has no {cls.module}\n")
            raise unittest.SkipTest(f"no {cls.module}")
        cls.shared = Kernel()
        cls.addClassCleanup(cls.shared.close)

    def setUp(self) -> None:
        self.kernel = self.shared
        self.run_ok(f"import datetime, decimal, time, numpy as np, {self.module}")

    def table(self, code: str) -> dict[str, Any]:
        call = self.run_ok(cell(code))
        self.assertEqual((call.stderr, call.displays), ("", []))
        return call.result["data"][TABLE]

    def fields(self, table: dict[str, Any]) -> dict[str, str]:
        return {field["name"]: field["type"] for field in table["schema"]["fields"]}


class Pandas(TableCase):
    module = "pandas"

    def setUp(self) -> None:
        super().setUp()
        self.run_ok("import pandas as pd")

    def test_it_stands_beside_what_was_there(self) -> None:
        self.run_ok("frame = pd.DataFrame({'a': [1, 2]})")
        call = self.run_ok("frame")
        self.assertEqual(list(call.result["data"]), ["text/plain", "text/html", TABLE])
        self.assertIn(TABLE, self.run_ok("display(frame)").displays[0]["data"])
        self.assertEqual(list(self.run_ok("frame['a']").result["data"]), ["text/plain", TABLE])
        self.assertNotIn(TABLE, self.run_ok("[frame]").result["data"])
        self.assertEqual(self.run_ok("pd.get_option('display.html.table_schema')").value, "False")

    def test_every_type_is_told_as_what_it_is(self) -> None:
        table = self.table(
            """
            pd.DataFrame({
                "whole": [1, 2**63 - 1], "real": [0.1 + 0.2, np.nan], "text": ["a", None], "bool": [True, False],
                "day": pd.to_datetime(["2024-01-31", None]),
                "zone": pd.to_datetime(["2024-01-31T12:00", "2024-07-01T12:00"]).tz_localize("Europe/Berlin"),
                "span": pd.to_timedelta([90, 120], "min"), "month": pd.period_range("2024-01", periods=2, freq="M"),
                "level": pd.Categorical(["low", "high"], ["low", "high"], ordered=True),
                "maybe": pd.array([1, None], dtype="Int64"), "huge": [10**30, 10**31],
                "money": [decimal.Decimal("1.10"), decimal.Decimal("2")], "date": [datetime.date(2024, 1, 31), None],
                "mixed": [1, "x"], "list": [[1, 2], {"k": (3,)}], "inf": [np.inf, 1.0],
            })
            """
        )
        self.assertEqual(
            self.fields(table),
            {
                "index": "integer", "whole": "integer", "real": "number", "text": "string", "bool": "boolean",
                "day": "datetime", "zone": "datetime", "span": "duration", "month": "datetime", "level": "any",
                "maybe": "integer", "huge": "string", "money": "string", "date": "date", "mixed": "any",
                "list": "string", "inf": "number",
            },
        )  # fmt: skip
        self.assertEqual(
            table["data"][0],
            {
                "index": 0, "whole": 1, "real": 0.1 + 0.2, "text": "a", "bool": True, "day": "2024-01-31T00:00:00",
                "zone": "2024-01-31T12:00:00+01:00", "span": "P0DT1H30M0S", "month": "2024-01-01", "level": "low",
                "maybe": 1, "huge": str(10**30), "money": "1.10", "date": "2024-01-31", "mixed": 1, "list": "[1, 2]",
                "inf": None,
            },
        )  # fmt: skip
        second = table["data"][1]
        self.assertEqual(second["whole"], 2**63 - 1)
        self.assertEqual([second[name] for name in ("real", "text", "day", "maybe", "date")], [None] * 5)
        level = next(field for field in table["schema"]["fields"] if field["name"] == "level")
        self.assertEqual((level["constraints"], level["ordered"]), ({"enum": ["low", "high"]}, True))
        self.assertEqual(table["cellblock"], {"rows": 2, "columns": 16, "shown": 2})

    def test_indices_of_several_levels_are_columns(self) -> None:
        table = self.table(
            """
            pd.DataFrame([[1, 2], [3, 4]], index=pd.MultiIndex.from_product([["a"], ["x", "y"]], names=["k", None]),
                         columns=pd.MultiIndex.from_product([["A"], ["x", "y"]]))
            """
        )
        self.assertEqual(table["data"][1], {"k": "a", "level_1": "y", "A, x": 3, "A, y": 4})
        self.assertEqual(table["schema"]["primaryKey"], ["k", "level_1"])
        twice = self.table("pd.DataFrame([[1, 2, 3]], columns=['a', 'a', 'index'], index=[7])")
        self.assertEqual(twice["data"], [{"index": 7, "a": 1, "a (2)": 2, "index (2)": 3}])
        self.assertNotIn("primaryKey", self.table("pd.DataFrame({'a': [1, 2]}, index=[1, 1])")["schema"])

    def test_series_and_nothing_at_all(self) -> None:
        table = self.table("pd.Series([1.5], index=pd.to_datetime(['2024-01-31']), name='n')")
        self.assertEqual(table["data"], [{"index": "2024-01-31T00:00:00", "n": 1.5}])
        self.assertEqual(self.table("pd.Series(['x'])")["data"], [{"index": 0, "values": "x"}])
        self.assertEqual(self.table("pd.DataFrame()")["cellblock"], {"rows": 0, "columns": 0, "shown": 0})

    def test_it_is_bounded(self) -> None:
        table = self.table("pd.DataFrame(np.ones((1000, 3)))")
        self.assertEqual((table["cellblock"], len(table["data"])), ({"rows": 1000, "columns": 3, "shown": 200}, 200))
        wide = self.table("pd.DataFrame(np.ones((1000, 99)))")
        self.assertEqual((len(wide["schema"]["fields"]), wide["cellblock"]["columns"]), (51, 99))
        self.assertTrue(10 < wide["cellblock"]["shown"] < 200)
        long = self.table("pd.DataFrame({'t': ['x' * 10_000] * 200, 'l': [[[0] * 10**6] * 100] * 200})")
        self.assertEqual(len(long["data"][0]["t"]), 500)
        self.assertTrue(50 < long["cellblock"]["shown"] < 200)

    def test_a_large_frame_is_no_slower(self) -> None:
        self.run_ok("big = pd.DataFrame({'a': np.arange(10_000_000), 'b': 'x'}); small = big.head(1000)")
        call = self.run_ok(
            cell(
                """
                from cellblock_kernel import tables
                def took(frame):
                    begun = time.process_time(); tables.table(frame)
                    return time.process_time() - begun
                print(min(took(big) for _ in range(5)) < 0.05)
                """
            )
        )
        self.assertEqual(call.stdout, "True\n")

    def test_values_that_are_slow_or_raise_cost_no_more_than_themselves(self) -> None:
        self.run_ok(
            cell(
                """
                class Slow:
                    def __repr__(self): return "slow"
                    def __str__(self):
                        end = time.thread_time() + 0.06
                        while time.thread_time() < end: pass
                        return "slow"
                class Bad:
                    def __repr__(self): return "bad"
                    def __str__(self): raise ValueError
                """
            )
        )
        self.run_ok("from cellblock_kernel import tables")
        shown = self.run_ok("tables.table(pd.DataFrame({'s': [Slow() for _ in range(200)]}))['cellblock']['shown']")
        self.assertLess(int(shown.value), 10)
        call = self.run_ok("tables.table(pd.DataFrame({'s': [Bad()]}))")
        self.assertEqual((call.value, call.stderr), (None, ""))

    def test_warnings_that_are_errors_do_not_matter(self) -> None:
        self.run_ok("import warnings; warnings.simplefilter('error')")
        try:
            table = self.table("pd.DataFrame({'d': pd.to_datetime(['2024-01-31']), 'c': pd.Categorical(['x'])})")
        finally:
            self.run_ok("warnings.resetwarnings()")
        self.assertEqual(len(table["data"]), 1)

    def test_who_turned_pandas_own_option_on_gets_pandas_own_form(self) -> None:
        self.run_ok("pd.set_option('display.html.table_schema', True)")
        try:
            table = self.table("pd.DataFrame({'a': [1]})")
        finally:
            self.run_ok("pd.reset_option('display.html.table_schema')")
        self.assertIn("pandas_version", table["schema"])

    def test_only_what_is_asked_for(self) -> None:
        call = self.run_ok("display(pd.DataFrame({'a': [1]}), include=['text/plain'])")
        self.assertEqual(list(call.displays[0]["data"]), ["text/plain"])


class Polars(TableCase):
    module = "polars"

    def test_frames_and_series(self) -> None:
        table = self.table(
            """
            polars.DataFrame({"a": [1, None], "d": [datetime.date(2024, 1, 31)] * 2, "t": ["x", "y"], "f": [0.5, np.nan],
                              "l": [[1, 2], [3]]})
            """
        )
        self.assertEqual(
            self.fields(table), {"a": "integer", "d": "date", "t": "string", "f": "number", "l": "string"}
        )
        self.assertEqual(table["data"][0], {"a": 1, "d": "2024-01-31", "t": "x", "f": 0.5, "l": "[1, 2]"})
        self.assertEqual([table["data"][1]["a"], table["data"][1]["f"]], [None, None])
        big = self.table("polars.DataFrame({'a': range(1000)})")
        self.assertEqual(big["cellblock"], {"rows": 1000, "columns": 1, "shown": 200})
        self.assertEqual(self.table("polars.Series('s', [1])")["data"], [{"s": 1}])


class GeoPandas(TableCase):
    module = "geopandas"

    def test_shapes_are_short(self) -> None:
        table = self.table(
            """
            from shapely import Point
            geopandas.GeoDataFrame({"n": [1, 2]}, geometry=[Point(1, 2), Point(0, 0).buffer(1)])
            """
        )
        self.assertEqual(table["data"][0]["geometry"], "POINT (1 2)")
        self.assertRegex(table["data"][1]["geometry"], r"<Polygon of \d+ points>")


if __name__ == "__main__":
    unittest.main()
