"""Sessions as agents write them: each call as it is in a file, and what comes of it, in one interpreter.

Behind the `==` of a call stands its value's text, `out` and the words that it prints, `!` and what its error says, or
nothing, if it has only to run.
"""

import os
import unittest
from pathlib import Path

from harness import MODULES, KernelCase, quoted

HERE = Path(__file__).resolve().parent


def calls(name: str) -> list[tuple[str, str]]:
    found, lines = [], []
    for line in (HERE / name).read_text().splitlines():
        if line.startswith("=="):
            found.append(("\n".join(lines), line[2:].strip()))
            lines = []
        else:
            lines.append(line)
    assert not lines, lines
    return found


@unittest.skipUnless(MODULES and os.path.isdir(f"{MODULES}/typescript"), "no typescript in CELLBLOCK_TEST_NODE_MODULES")
class Sessions(KernelCase):
    def session(self, name: str, least: int) -> None:
        os.symlink(MODULES, self.kernel.work.parent / "node_modules")
        (self.kernel.work / "conf.json").write_text('{"name": "conf", "n": 1}')
        all_ = calls(name)
        self.assertGreater(len(all_), least)
        for code, expected in all_:
            with self.subTest(code):
                call = self.kernel.run(code, language="typescript")
                kind, _, rest = expected.partition(" ")
                if kind == "!":
                    self.assertEqual(call.status, "raised", call.value)
                    self.assertIn(rest, call.traceback)
                    continue
                self.assertEqual(call.status, "ok", call.traceback)
                if kind == "out":
                    self.assertEqual(call.stdout.split(), rest.split())
                elif expected:
                    self.assertEqual(quoted(call.value or ""), expected)

    def test_the_language(self) -> None:
        self.session("typescript_session.txt", 90)

    def test_work_with_data_and_libraries(self) -> None:
        self.session("typescript_work.txt", 90)
