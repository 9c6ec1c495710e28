"""MIME bundles."""

import base64
import json
import unittest

from harness import KernelCase, cell, has

PIXEL = "b'\\x89PNG fake'"


class Display(KernelCase):
    def data(self, code: str) -> dict:
        call = self.run_ok(code)
        shown = [*call.displays, *([call.result] if call.result else [])]
        self.assertEqual(len(shown), 1, call.frames)
        return shown[0]["data"]

    def test_display(self):
        call = self.run_ok("display(1, 'two')\nprint('between')\ndisplay([3])")
        self.assertEqual([kind for kind, _ in call.frames], ["display", "display", "stdout", "display"])
        self.assertEqual(
            [d["data"] for d in call.displays], [{"text/plain": t} for t in ("1", "'two'", "[3]")]
        )

    def test_ipython_display_module(self):
        self.assertEqual(
            self.data(
                cell(
                    """
                    from IPython.display import display, HTML
                    display(HTML('<b>x</b>'))
                    """
                )
            )["text/html"],
            "<b>x</b>",
        )

    def test_the_usual_objects(self):
        cases = {
            "HTML('<i>h</i>')": ("text/html", "<i>h</i>"),
            "Markdown('# m')": ("text/markdown", "# m"),
            "Latex('$l$')": ("text/latex", "$l$"),
            "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>')": (
                "image/svg+xml",
                '<svg xmlns="http://www.w3.org/2000/svg"/>',
            ),
            "JSON({'a': [1, None]})": ("application/json", {"a": [1, None]}),
            "IFrame('https://example.org', 10, 10)": ("text/html", None),
            "Javascript('1')": ("application/javascript", "1"),
        }
        for code, (mime, expected) in cases.items():
            data = self.data(f"from IPython.display import *\n{code}")
            self.assertIn(mime, data, code)
            self.assertIn("text/plain", data)
            if expected is not None:
                self.assertEqual(data[mime], expected)

    def test_methods_of_objects(self):
        methods = {
            "_repr_html_": "text/html",
            "_repr_markdown_": "text/markdown",
            "_repr_latex_": "text/latex",
            "_repr_svg_": "image/svg+xml",
        }
        for method, mime in methods.items():
            self.assertEqual(self.data(f"class R:\n    def {method}(self): return 'text'\nR()")[mime], "text")
        data = self.data(f"class R:\n    def _repr_png_(self): return {PIXEL}\nR()")
        self.assertEqual(base64.b64decode(data["image/png"]), eval(PIXEL))
        data = self.data(f"class R:\n    def _repr_jpeg_(self): return {PIXEL}\nR()")
        self.assertEqual(base64.b64decode(data["image/jpeg"]), eval(PIXEL))

    def test_vendor_types_pass(self):
        code = cell(
            """
            class Plot:
                def _repr_mimebundle_(self, include=None, exclude=None):
                    plot = {'data': [{'y': [1.5, float('nan')]}]}
                    data = {'application/vnd.plotly.v1+json': plot, 'application/x-own': 'text'}
                    data['application/octet-stream'] = b'\\x00'
                    return data, {'application/x-own': {'k': 1}}
            Plot()
            """
        )
        call = self.run_ok(code)
        data = call.result["data"]
        self.assertEqual(data["application/vnd.plotly.v1+json"], {"data": [{"y": [1.5, None]}]})
        self.assertEqual(data["application/x-own"], "text")
        self.assertEqual(data["application/octet-stream"], "AA==")
        self.assertEqual(call.result["metadata"], {"application/x-own": {"k": 1}})

    def test_an_object_that_shows_itself(self):
        call = self.run_ok("class O:\n    def _ipython_display_(self): print('myself')\nO()")
        self.assertEqual((call.stdout, call.result), ("myself\n", None))

    def test_updates_and_clearing(self):
        call = self.run_ok(
            cell(
                """
                h = display('a', display_id='here')
                h.update('b')
                from IPython.display import clear_output, update_display
                update_display('c', display_id='here')
                clear_output(wait=True)
                clear_output()
                """
            )
        )
        a, b, c, wait, clear = call.displays
        self.assertEqual((a["display_id"], "update" in a), ("here", False))
        self.assertEqual((b["display_id"], b["update"], b["data"]["text/plain"]), ("here", True, "'b'"))
        self.assertEqual((c["display_id"], c["update"], c["data"]["text/plain"]), ("here", True, "'c'"))
        self.assertEqual((wait["clear"], wait["wait"], clear["wait"]), (True, True, False))

    def test_no_json_that_is_not_json(self):
        call = self.run_ok(
            cell(
                """
                d = []
                for _ in range(2000): d = [d]
                data = {'nan': float('inf'), 'set': {1}, 3: object(), 'deep': d}
                display({'application/json': data, 'text/plain': '\\ud800x'}, raw=True)
                """
            )
        )
        payload = next(data for kind, data in call.frames if kind == "display")
        shown = json.loads(payload.decode("utf-8"), parse_constant=self.fail)
        self.assertEqual(shown["data"]["text/plain"], "\\ud800x")
        self.assertIsNone(shown["data"]["application/json"]["nan"])
        self.run_ok("c = {}\nc['c'] = c\ndisplay({'application/json': c}, raw=True)")
        self.assert_alive()

    def test_broken_representations(self):
        call = self.run_ok(
            cell(
                """
                class R:
                    def _repr_html_(self): raise ValueError('broken html')
                    def __repr__(self): return 'plain'
                R()
                """
            )
        )
        self.assertEqual(call.result["data"], {"text/plain": "plain"})
        self.assertIn("broken html", call.stderr)

    def test_what_is_too_large_is_left_out_and_said(self):
        call = self.run_ok(
            cell(
                """
                class R:
                    def _repr_html_(self): return 'x' * (25 << 20)
                    def __repr__(self): return 'small'
                R()
                """
            )
        )
        data = call.result["data"]
        self.assertEqual(list(data), ["text/plain"])
        self.assertIn("small\n[text/html of 25.0 MiB left out", data["text/plain"])
        data = self.data(
            cell(
                """
                from IPython.display import Image
                import os
                Image(os.urandom(25 << 20), format='png')
                """
            )
        )
        self.assertIn("image/png of 33.3 MiB left out", data["text/plain"])
        self.assert_alive()

    def test_long_texts_are_cut_in_the_middle(self):
        for code, unit in (("'a' * 99_999_999 + 'z'", "characters"), ("b'a' * 99_999_999 + b'z'", "bytes")):
            value = self.run_ok(code).value
            self.assertLess(len(value), 1_100_000)
            self.assertTrue(value.startswith(("'aaa", "b'aaa")) and value.endswith("az'"))
            self.assertTrue(f"of 100000000 {unit} are left out" in value)
        self.assertLess(len(self.run_ok("[0] * 10**7").value), 20_000)
        self.assertLess(
            len(
                self.run_ok(
                    cell(
                        """
                        class R:
                            def __repr__(self): return 'r' * 30_000_000
                        R()
                        """
                    )
                ).value
            ),
            1_100_000,
        )

    def test_frames_and_images_of_libraries(self):
        if has("pandas"):
            data = self.data("import pandas as pd\npd.DataFrame({'a': [1, 2]})")
            self.assertIn("<table", data["text/html"])
            self.assertEqual(data["text/plain"], "   a\n0  1\n1  2")
            wide = self.run_ok(
                "print(pd.DataFrame([range(15)], columns=[f'a_long_name_{n}' for n in range(15)]))"
            ).stdout
            self.assertIn("a_long_name_7", wide)
        if has("PIL"):
            data = self.data("from PIL import Image\nImage.new('RGB', (4, 4))")
            self.assertTrue(base64.b64decode(data["image/png"]).startswith(b"\x89PNG"))


if __name__ == "__main__":
    unittest.main()
