"""matplotlib's figures come back as images: each once, none forgotten."""

import unittest

from harness import HAS_IPYTHON, Kernel, KernelCase, cell, has

HAS_MATPLOTLIB = has("matplotlib")
if not HAS_MATPLOTLIB:
    print("SKIPPED, LOUDLY: the interpreter under test has no matplotlib")


@unittest.skipUnless(HAS_IPYTHON and HAS_MATPLOTLIB, "no matplotlib")
class Figures(KernelCase):
    """All in one kernel, since the import takes the time; every test leaves no figure."""

    @classmethod
    def setUpClass(cls):
        cls.shared = Kernel()
        cls.addClassCleanup(cls.shared.close)

    def setUp(self):
        self.kernel = self.shared
        self.run_ok("import matplotlib.pyplot as plt")

    def images(self, code: str) -> int:
        call = self.run_ok(code)
        for image in call.images:
            self.assertTrue(image.startswith(b"\x89PNG\r\n"))
        result = call.result
        count = len(call.images) + bool(result and "image/png" in result["data"])
        self.assertEqual(self.run_ok("plt.get_fignums()").value, "[]")
        return count

    def test_left_open(self):
        self.assertEqual(self.images("plt.plot([1, 2]);"), 1)
        self.assertEqual(self.images("for n in range(3):\n    plt.figure(); plt.plot([n])"), 3)

    def test_shown(self):
        self.assertEqual(self.images("plt.plot([1, 2])\nplt.show()"), 1)
        self.assertEqual(self.images("for n in range(3):\n    plt.plot([n])\n    plt.show()"), 3)
        self.assertEqual(self.images("plt.plot([1])\nplt.show(block=True)\nplt.show()"), 1)

    def test_the_order_is_that_of_the_program(self):
        call = self.run_ok("print('a')\nplt.plot([1])\nplt.show()\nprint('b')\nplt.plot([2]);")
        self.assertEqual([kind for kind, _ in call.frames], ["stdout", "display", "stdout", "display"])

    def test_closed_by_the_program(self):
        self.assertEqual(self.images("plt.plot([1])\nplt.savefig('kept.png')\nplt.close()"), 0)
        self.assertTrue((self.kernel.work / "kept.png").exists())

    def test_saved_and_left_open(self):
        self.assertEqual(self.images("plt.plot([1])\nplt.savefig('kept.png', dpi=50)"), 1)

    def test_agg_chosen_by_the_program(self):
        self.assertEqual(
            self.images(
                cell(
                    """
                    import matplotlib
                    matplotlib.use('Agg')
                    plt.plot([1])
                    plt.show()
                    plt.plot([2]);
                    """
                )
            ),
            2,
        )
        self.assertEqual(
            self.images(
                cell(
                    """
                    plt.switch_backend('svg')
                    plt.plot([1])
                    plt.show()
                    plt.switch_backend('agg')
                    """
                )
            ),
            1,
        )

    def test_a_figure_as_value_or_displayed(self):
        self.assertEqual(self.images("fig, ax = plt.subplots()\nax.plot([1])\nfig"), 1)
        self.assertEqual(self.images("fig, ax = plt.subplots()\nax.plot([1])\ndisplay(fig)"), 1)
        self.assertEqual(self.images("fig.axes[0].plot([2])\nfig"), 1)
        self.assertEqual(self.images("fig"), 1)

    def test_a_figure_drawn_on_after_it_was_displayed(self):
        self.assertEqual(
            self.images(
                cell(
                    """
                    fig, ax = plt.subplots()
                    ax.plot([1])
                    display(fig)
                    ax.set_title('later');
                    """
                )
            ),
            2,
        )
        code = "for n in range(3):\n    plt.plot([n])\n    display(plt.gcf())"
        self.assertEqual(self.images(code), 3)

    def test_figure_show(self):
        self.assertEqual(self.images("fig, ax = plt.subplots()\nax.plot([1])\nfig.show()"), 1)
        self.assertEqual(self.images("fig, ax = plt.subplots()\nax.plot([1])\nfig.show()\nplt.close(fig)"), 1)

    def test_a_figure_without_pyplot(self):
        code = "from matplotlib.figure import Figure\nf = Figure()\nf.subplots().plot([1])\nf"
        self.assertEqual(self.images(code), 1)
        self.assertEqual(self.images("x = Figure()"), 0)

    def test_empty_figures_are_not_shown(self):
        self.assertEqual(self.images("plt.figure();"), 0)

    def test_after_an_error(self):
        call = self.run_raised("plt.plot([1])\n1 / 0", "ZeroDivisionError")
        self.assertEqual(len(call.images), 1)

    def test_a_figure_that_cannot_be_drawn(self):
        call = self.run_raised("plt.plot([1])\nplt.title('$\\\\nosuchcommand$');")
        self.assertIn("nosuchcommand", call.traceback)
        self.assertEqual(self.run_ok("plt.get_fignums()").value, "[]")

    def test_captured(self):
        self.assertEqual(self.images("%%capture c\nplt.plot([1])\nplt.show()"), 0)
        self.assertEqual(self.run_ok("len(c.outputs)").value, "1")
        self.assertEqual(self.images("%matplotlib inline\nplt.plot([1]);"), 1)

    def test_formats_that_notebooks_choose(self):
        self.addCleanup(self.kernel.run, "%config InlineBackend.figure_format = 'png'")
        call = self.run_ok("%config InlineBackend.figure_format = 'svg'\nplt.plot([1]);")
        self.assertIn("image/svg+xml", call.displays[0]["data"])
        call = self.run_ok("%config InlineBackend.figure_format = 'png'\nplt.plot([1]);")
        self.assertIn("image/png", call.displays[0]["data"])

    def test_interactive_mode(self):
        self.assertEqual(
            self.images(
                cell(
                    """
                    plt.ion()
                    plt.plot([1])
                    plt.draw()
                    plt.pause(0.001)
                    plt.ioff();
                    """
                )
            ),
            1,
        )


@unittest.skipUnless(HAS_IPYTHON and HAS_MATPLOTLIB, "no matplotlib")
class Fresh(KernelCase):
    def test_without_ipython(self):
        call = self.run_ok(
            cell(
                """
                import matplotlib; matplotlib.use('Agg')
                import matplotlib.pyplot as plt
                plt.plot([1])
                plt.savefig('a.png')
                print('Done')
                """
            )
        )
        self.assertEqual((call.stdout, len(call.images)), ("Done\n", 1))
        self.assertEqual(self.run_ok("import sys; print('IPython' in sys.modules)").stdout, "False\n")
        self.assertEqual(call.displays[0]["data"]["text/plain"], "<Figure size 640x480 with 1 Axes>")

    def test_an_interrupt_while_figures_are_drawn(self):
        code = cell(
            """
            import matplotlib.pyplot as plt
            from matplotlib.lines import Line2D
            class Slow(Line2D):
                def draw(self, renderer):
                    print('READY')
                    while True: pass
            fig, ax = plt.subplots()
            ax.add_line(Slow([0, 1], [0, 1]));
            """
        )
        call = self.kernel.interrupted(code)
        self.assertTrue(call.report["interrupted"], call.report)
        self.assertEqual(self.run_ok("plt.get_fignums()").value, "[]")


if __name__ == "__main__":
    unittest.main()
