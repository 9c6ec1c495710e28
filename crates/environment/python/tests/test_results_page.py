"""docs/results.md says what is true: its examples give what stands beside them."""

import json
import re
import unittest
from pathlib import Path

from harness import KernelCase, has

PAGE = Path(__file__).resolve().parents[4] / "docs" / "results.md"


@unittest.skipUnless(has("matplotlib") and has("pandas"), "no matplotlib, no pandas")
class Page(KernelCase):
    def test_the_examples(self) -> None:
        text = PAGE.read_text()
        chart, table, own = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        told = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
        shown = self.run_ok(chart).displays[0]["data"]
        self.assertEqual(shown["application/vnd.cellblock.chart+json"], told[0])
        shown = self.run_ok(table).result["data"]
        self.assertEqual(shown["application/vnd.dataresource+json"], told[1])
        shown = [each["data"] for each in self.run_ok(own).displays]
        self.assertEqual(shown[0]["application/json"], {"stops": ["Rome", "Oslo"]})
        self.assertEqual(shown[1], {"text/markdown": "**done**"})


if __name__ == "__main__":
    unittest.main()
