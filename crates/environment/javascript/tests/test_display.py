"""Rich results: what code shows, and in which forms."""

import base64

from harness import KernelCase

FORMS = "Symbol.for('Jupyter.display')"


class Display(KernelCase):
    def shown(self, code: str) -> dict:
        displays = self.run_ok(code).displays
        self.assertEqual(len(displays), 1, displays)
        return displays[0]["data"]

    def test_the_convention_of_notebooks(self) -> None:
        call = self.run_ok(f"({{ [{FORMS}]: () => ({{ 'text/html': '<b>', 'application/json': {{ a: 1 }} }}) }})")
        self.assertEqual(call.result["data"], {"text/html": "<b>", "application/json": {"a": 1}})
        call = self.run_ok(f"({{ async [{FORMS}]() {{ await 1; return {{ 'text/markdown': '**x**' }} }} }})")
        self.assertEqual(call.result["data"], {"text/markdown": "**x**"})
        self.assertEqual(self.shown(f"display({{ [{FORMS}]: () => ({{ 'text/html': 'i' }}) }})"), {"text/html": "i"})
        self.assertEqual(self.shown(f"await display({{ async [{FORMS}]() {{ return {{ 'text/html': 'j' }} }} }})"), {"text/html": "j"})

    def test_a_method_that_fails_leaves_the_text(self) -> None:
        for code in (f"({{ n: 1, [{FORMS}]() {{ throw new Error('no forms') }} }})", f"({{ n: 1, async [{FORMS}]() {{ throw new Error('no forms') }} }})"):
            call = self.run_ok(code)
            self.assertIn("n: 1", call.value or "")
            self.assertIn("no forms", call.stderr)
        self.assertEqual(self.value(f"({{ [{FORMS}]: () => null, n: 1 }}).n"), "1")

    def test_values_and_bundles(self) -> None:
        self.assertEqual(self.shown("display({ a: 1 })"), {"text/plain": "{ a: 1 }"})
        self.assertEqual(self.shown("display({ 'text/html': '<i>', 'text/plain': 'i' })"), {"text/html": "<i>", "text/plain": "i"})
        self.assertEqual(self.shown("display(undefined)"), {"text/plain": "undefined"})

    def test_helpers(self) -> None:
        self.assertEqual(self.shown("display.html('<p>')"), {"text/html": "<p>"})
        self.assertEqual(self.shown("display.html`<p>${1 + 1}</p>`"), {"text/html": "<p>2</p>"})
        self.assertEqual(self.shown("display.markdown('# t')"), {"text/markdown": "# t"})
        data = self.shown("display.svg('<svg/>')")
        self.assertEqual(data["image/svg+xml"], "<svg/>")
        self.assertIn("an SVG picture, 6 characters", data["text/plain"])
        data = self.shown("display.json({ a: [1, null], big: 2n, not: NaN })")
        self.assertEqual(data["application/json"], {"a": [1, None], "big": "2", "not": None})
        png = bytes([0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10])
        data = self.shown("display.image(Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]))")
        self.assertEqual(base64.b64decode(data["image/png"]), png)
        self.assertIsNone(self.run_ok("display.html('x')").result)
        self.run_raised("display.image('path.png')", "TypeError")

    def test_tables(self) -> None:
        data = self.shown("display.table([{ city: 'Oslo', n: 1 }, { city: 'Rome <x>', n: 2.5, when: new Date(0) }])")
        table = data["application/vnd.dataresource+json"]
        self.assertEqual(
            table["schema"]["fields"],
            [{"name": "city", "type": "string"}, {"name": "n", "type": "number"}, {"name": "when", "type": "datetime"}],
        )
        self.assertEqual(table["data"][1], {"city": "Rome <x>", "n": 2.5, "when": "1970-01-01T00:00:00.000Z"})
        self.assertEqual(table["cellblock"], {"rows": 2, "columns": 3, "shown": 2})
        self.assertIn("<td>Rome &lt;x&gt;</td>", data["text/html"])
        self.assertEqual(data["text/plain"].split("\n")[0].split(), ["city", "n", "when"])

    def test_tables_are_bounded(self) -> None:
        data = self.shown("display.table(Array.from({ length: 5000 }, (_, i) => ({ i, text: 'y'.repeat(2000) })))")
        table = data["application/vnd.dataresource+json"]
        self.assertEqual(table["cellblock"]["rows"], 5000)
        self.assertLessEqual(len(str(table)), 80_000)
        wide = "Object.fromEntries(Array.from({ length: 300 }, (_, i) => ['c' + i, i]))"
        self.assertEqual(self.shown(f"display.table([{wide}])")["application/vnd.dataresource+json"]["cellblock"]["columns"], 300)
        for rows in ("[]", "[[1, 2], [3]]", "[1, 'x', null]", "new Map([['a', 1]])", "new Set([1])"):
            with self.subTest(rows):
                self.assertIn("application/vnd.dataresource+json", self.shown(f"display.table({rows})"))

    def test_what_is_too_large_is_left_out_and_said(self) -> None:
        data = self.shown("display({ 'text/html': 'x'.repeat(30 * 2 ** 20), 'text/plain': 'small' })")
        self.assertNotIn("text/html", data)
        self.assertIn("small\n[text/html of 30.0 MiB left out", data["text/plain"])

    def test_the_name_is_the_users_to_take(self) -> None:
        self.run_ok("const display = 5")
        self.assertEqual(self.value("display"), "5")

    def test_ids_and_updates(self) -> None:
        call = self.run_ok("display(1, { display_id: 'a' }); display(2, { display_id: 'a', update: true }); 0")
        self.assertEqual([(each.get("display_id"), each.get("update")) for each in call.displays], [("a", None), ("a", True)])
