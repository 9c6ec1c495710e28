"""docs/results.md says what is true of JavaScript: its examples give what stands beside them."""

import json
import re
import unittest
from pathlib import Path

from harness import KernelCase

PAGE = Path(__file__).resolve().parents[4] / "docs" / "results.md"


class Page(KernelCase):
    def test_the_examples(self) -> None:
        _, _, text = PAGE.read_text().partition("## JavaScript and TypeScript\n")
        examples = re.findall(r"```javascript\n(.*?)```\n\n```json\n(.*?)```", text, re.DOTALL)
        self.assertEqual(len(examples), 3)
        for code, told in examples:
            with self.subTest(code):
                call = self.run_ok(code)
                shown = [*(each["data"] for each in call.displays), *([call.result["data"]] if call.result else [])]
                self.assertEqual(shown, [json.loads(told)])

    def test_helpers_and_updates(self) -> None:
        """What the page says besides its examples."""
        call = self.run_ok("const n = 1; display.html`<b>${n}</b>`; display.svg('<svg/>')")
        self.assertEqual([each["data"].get("text/html") for each in call.displays], ["<b>1</b>", None])
        svg = call.displays[1]["data"]
        self.assertEqual((sorted(svg), svg["image/svg+xml"]), (["image/svg+xml", "text/plain"], "<svg/>"))
        call = self.run_ok("display(1, { display_id: 'a' }); display(2, { display_id: 'a', update: true })")
        self.assertEqual([each.get("update", False) for each in call.displays], [False, True])
        self.assertEqual(self.run_ok("undefined").result, None)
        self.assertEqual(self.value("(async () => 7)()"), "7")


if __name__ == "__main__":
    unittest.main()
