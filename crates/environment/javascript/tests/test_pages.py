"""The pages say what is true of JavaScript: their examples give what stands beside them."""

import json
import os
import re
import unittest
from pathlib import Path

from harness import MODULES, RUNTIME, KernelCase

DOCS = Path(__file__).resolve().parents[4] / "docs"


class Results(KernelCase):
    def test_the_examples(self) -> None:
        _, _, text = (DOCS / "results.md").read_text().partition("## JavaScript and TypeScript\n")
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


@unittest.skipUnless(MODULES and os.path.isdir(f"{MODULES}/typescript"), "no typescript in CELLBLOCK_TEST_NODE_MODULES")
class Notebook(KernelCase):
    """docs/javascript.md, whose example was typed into `cellblock shell`."""

    def setUp(self) -> None:
        super().setUp()
        # A cell has them in its root.
        os.symlink(MODULES, self.kernel.work / "node_modules")

    def test_the_example(self) -> None:
        text = (DOCS / "javascript.md").read_text()
        session = re.search(r"```console\n.*?leaves\n(.*?)```", text, re.DOTALL)
        assert session
        cells = re.findall(r"In \[(\d)\]: (.*)\n((?:(?!In \[).*\n)*)", session[1])
        self.assertEqual([int(number) for number, _, _ in cells], [1, 2, 3, 4, 5])
        for number, code, told in cells:
            with self.subTest(code):
                call = self.kernel.run(code, language="typescript")
                shown = f"Out[{number}]: {call.value}\n" if call.value else call.traceback and f"{call.traceback}\n"
                self.assertEqual(shown or "", told)

    def test_what_calls_may_do(self) -> None:
        """What the page says of them besides."""
        self.run_ok("class A { one() { return 1 } }; const a = new A(); const list = [1]")
        self.run_ok("class A { two() { return 2 } }; const a = new A(); import * as list from 'lodash'")
        self.assertEqual(self.value("a.two() + typeof list.chunk"), "'2function'")
        self.run_raised("const fixed = 1; later = 2; fixed = 3", "TypeError")
        self.assertEqual(self.value("[fixed, later]"), "[ 1, 2 ]")
        self.assertEqual(self.value("[typeof require, typeof module, typeof __dirname, typeof fs].join()"), "'function,object,string,object'")
        late = self.run_ok("setTimeout(() => console.log('late'), 20); 1")
        self.assertEqual(late.stdout, "")
        call = self.kernel.run("process.exit(3)" if RUNTIME == "node" else "Deno.exit(3)")
        self.assertEqual((call.status, call.report["exit_status"]), ("exited", 3))


if __name__ == "__main__":
    unittest.main()
