"""What is asked about code before it runs: completion, and whether it is whole."""

import time
import unittest

from harness import KernelCase, cell


class Questions:
    def completed(self, code: str, cursor: int | None = None) -> dict[str, str]:
        """What the code could become up to the cursor, and what that is."""
        answer = self.kernel.ask(code, cursor).report["answer"]
        begin = code[: answer["start"]]
        self.assertEqual(answer["end"], len(code) if cursor is None else cursor)
        return {begin + text: kind for text, kind in answer["matches"]}

    def checked(self, code: str) -> tuple[str, int]:
        answer = self.kernel.ask(code, check=True).report["answer"]
        return answer["check"], answer["indent"]

    def test_names_and_attributes_of_what_lives(self) -> None:
        self.run_ok("import collections\nalphabet = [1]\nclass Album: pass\ndef alter(): pass\nrest = {}")
        found = self.completed("x = al")
        self.assertEqual(found["x = alphabet"], "instance")
        self.assertEqual(found["x = alter"], "function")
        self.assertEqual(self.completed("Alb"), {"Album": "class"})
        self.assertEqual(self.completed("alphabet.app"), {"alphabet.append": "function"})
        answer = self.kernel.ask("alphabet.app").report["answer"]
        self.assertEqual((answer["start"], answer["matches"]), (9, [["append", "function"]]))
        self.assertEqual(self.completed("if 1:\n    alphabet.app"), {"if 1:\n    alphabet.append": "function"})
        self.assertIn("collections.OrderedDict", self.completed("collections.Ord"))
        self.assertEqual(self.completed("collections.OrderedDict")["collections.OrderedDict"], "class")
        self.assertEqual(self.completed("contin"), {"continue": "keyword"})
        self.assertEqual(self.completed("nothing_like_it"), {})
        self.assertEqual(self.completed("ä, ö = alpha"), {"ä, ö = alphabet": "instance"})

    def test_the_rest_of_the_code_does_not_matter(self) -> None:
        self.run_ok("alphabet = [1]")
        self.assertEqual(self.completed("alpha + 1\nalphabeta", 5), {"alphabet": "instance"})

    def test_modules_are_found_and_not_imported(self) -> None:
        (self.kernel.work / "own_program.py").write_text("print('ran')\nanswer = 42\ndef function(): pass\n")
        self.assertEqual(self.completed("import own_pro"), {"import own_program": "module"})
        self.assertEqual(self.completed("from collections import Ord"), {"from collections import OrderedDict": "class"})
        answer = self.kernel.ask("import jso").report["answer"]
        self.assertEqual(answer["matches"], [["json", "module"]])
        self.assertEqual(self.completed("from own_pro"), {"from own_program": "module"})
        found = self.completed("from own_program import ")
        self.assertEqual(set(found), {f"from own_program import {name}" for name in ("answer", "function")})
        self.assertIn("import os, json.decoder", self.completed("import os, json.dec"))
        self.assertIn("from math import sqrt", self.completed("from math import sq"))
        self.assertIn("from wave import open, Wave_read", self.completed("from wave import open, Wave_r"))
        loaded = self.run_ok("import sys; 'own_program' in sys.modules or 'wave' in sys.modules")
        self.assertEqual((loaded.value, loaded.stdout), ("False", ""))

    def test_nothing_runs_and_nothing_is_counted(self) -> None:
        self.run_ok(
            cell(
                """
                class Trap:
                    @property
                    def temper(self): print("property")
                    def __getattr__(self, name): print("getattr"); raise AttributeError(name)
                trap = Trap()
                5
                """
            )
        )
        look = "print(sorted(globals()), len(In), len(Out))"
        before = self.run_ok(look, store_history=False).stdout
        for code in ("trap.temper.", "trap.temper", "trap.other.", "print('ran').", "trap.temper()."):
            call = self.kernel.ask(code)
            self.assertEqual((call.stdout, call.status), ("", "ok"), code)
        self.assertEqual(self.run_ok(look, store_history=False).stdout, before)
        call = self.run_ok("_")
        self.assertEqual((call.report["execution_count"], call.value), (2, "5"))

    def test_an_answer_is_bounded(self) -> None:
        self.run_ok("for n in range(300): globals()[f'many_{n:03}'] = n")
        answer = self.kernel.ask("many_").report["answer"]
        self.assertEqual((len(answer["matches"]), answer["more"]), (100, True))
        self.assertEqual(answer["matches"][0], ["many_000", "instance"])

    def test_what_takes_too_long_is_interrupted_and_costs_nothing(self) -> None:
        self.run_ok("import time\nclass Slow:\n    def __dir__(self): print('READY'); time.sleep(60)\nslow = Slow()")
        begun = time.monotonic()
        call = self.kernel.send_question("slow.")
        result = self.kernel.collect(call, until="READY")
        self.kernel.interrupt()
        result = self.kernel.collect(call, result=result)
        self.assertEqual((result.report, result.stderr), ({"status": "ok"}, ""))
        self.assertLess(time.monotonic() - begun, 30)
        self.assert_alive()

    def test_whatever_raises_is_no_answer(self) -> None:
        self.run_ok("class Bad:\n    def __dir__(self): raise SystemExit(3)\nbad = Bad()")
        call = self.kernel.ask("bad.")
        self.assertEqual((call.report, call.stderr), ({"status": "ok"}, ""))
        self.assertNotIn("answer", self.kernel.ask(5).report)  # type: ignore[arg-type]
        self.assert_alive()

    def test_whether_code_is_whole(self) -> None:
        self.assertEqual(self.checked("x = 1"), ("complete", 0))
        self.assertEqual(self.checked("x = (1,"), ("incomplete", 0))
        self.assertEqual(self.checked("def f():"), ("incomplete", 4))
        self.assertEqual(self.checked("def f():\n    if 1:"), ("incomplete", 8))
        self.assertEqual(self.checked("def f():\n    return 1\n"), ("complete", 0))
        self.assertEqual(self.checked("await x"), ("complete", 0))
        self.assertEqual(self.checked("x = = 1"), ("invalid", 0))
        self.assertEqual(self.checked("'''text"), ("incomplete", 0))


class WithIPython(Questions, KernelCase):
    def test_keys_files_and_magics(self) -> None:
        self.run_ok("prices = {'apple': 1, 'pear': 2}; import os; open('harvest.csv', 'w').close()")
        self.assertIn("prices['apple", " ".join(self.completed("prices['ap")))
        self.assertIn("open('harvest.csv", self.completed("open('harv"))
        self.assertEqual(self.completed("open('xde"), {})
        self.assertEqual(self.completed("xde"), {"%xdel": "magic"})
        self.assertEqual(self.completed("%timei"), {"%timeit": "magic", "%%timeit": "magic"})

    def test_magics_are_whole(self) -> None:
        self.assertEqual(self.checked("%time 1"), ("complete", 0))
        self.assertEqual(self.checked("!ls"), ("complete", 0))
        self.assertEqual(self.checked("%%bash\necho")[0], "incomplete")


class WithoutIPython(Questions, KernelCase):
    """In an environment that has none."""

    def setUp(self) -> None:
        super().setUp()
        self.run_ok("import sys; sys.modules['IPython'] = None", silent=True)


if __name__ == "__main__":
    unittest.main()
