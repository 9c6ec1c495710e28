"""What a report adds to an error, where more is known than the error says."""

import os
import unittest

from harness import MODULES, KernelCase

TYPES = 'JavaScript takes no types: run this as the language "typescript".'


class Advice(KernelCase):
    def advice(self, code: str, name: str, **options: object) -> str:
        return self.run_raised(code, name, **options).traceback.rsplit("\n\n", 1)[-1]

    def test_a_name_of_a_call_that_failed(self) -> None:
        self.run_raised("let early = 1\nnull.x\nconst { one, two: [three] } = {}\nclass Four {}\nimport { join as five } from 'path'", "TypeError")
        failed = "failed before it came to that: TypeError: Cannot read properties of null (reading 'x')"
        for name in ("one", "three", "Four"):
            self.assertEqual(self.advice(name, "ReferenceError"), f"Call 1, which declares `{name}`, {failed}")
        self.assertEqual(self.value("early + typeof five"), "'1function'")
        for name in ("on", "ones", "x", "typeof_"):
            self.assertNotIn("declares", self.advice(name, "ReferenceError"))
        before = self.run_raised("const later = ;", "SyntaxError").report["execution_count"]
        self.assertEqual(self.advice("later", "ReferenceError"), f"Call {before}, which declares `later`, did not run: SyntaxError: Unexpected token ';'")
        # The latest counts.
        again = self.run_raised("throw new Error('again\\nand more')\nconst later = 1", "Error").report["execution_count"]
        self.assertEqual(self.advice("later", "ReferenceError"), f"Call {again}, which declares `later`, failed before it came to that: Error: again")

    def test_a_call_that_was_ended_from_outside(self) -> None:
        self.kernel.interrupted("console.log('READY'); await new Promise(() => {})\nconst never = 1")
        self.assertEqual(self.advice("never", "ReferenceError"), "Call 1, which declares `never`, was interrupted before it came to that")
        self.run_raised("setTimeout(() => { throw new Error('timer') }, 5); await new Promise(() => {})\nconst neither = 1", "Error")
        self.assertEqual(self.advice("neither", "ReferenceError"), "Call 3, which declares `neither`, failed before it came to that: Error: timer")

    def test_types_in_javascript(self) -> None:
        for code in (
            "const x: number = 1",
            "1\ninterface A {\n  b: string\n}",
            "function f(a: string): void {}",
            "  const g = (a: number) => a",
            "type A = string",
            "class A {\n  private b = 1\n}",
        ):
            self.assertEqual(self.advice(code, "SyntaxError"), TYPES, code)
        for code in ("const x = ;", "f(a: 1)", "a ? b :", "{ a: 1, b c }", "JSON.parse('const x: number = 1')"):
            self.assertNotIn(TYPES, self.run_raised(code, "SyntaxError").traceback)

    @unittest.skipUnless(MODULES and os.path.isdir(f"{MODULES}/typescript"), "no typescript in CELLBLOCK_TEST_NODE_MODULES")
    def test_a_name_of_a_call_that_was_refused(self) -> None:
        self.run_raised("const total: number = 'a'\ninterface Row { a: 1 }", "TypeScriptError", language="typescript")
        refused = "did not run: TypeScriptError: TS2322: Type 'string' is not assignable to type 'number'."
        call = self.run_raised("total; const row: Row = { a: 1 }; nothing", "TypeScriptError", language="typescript")
        self.assertTrue(
            call.traceback.endswith(f"\n\nCall 1, which declares `total`, {refused}\n\nCall 1, which declares `Row`, {refused}"), call.traceback
        )
        self.assertEqual(call.report["evalue"], "TS2304: Cannot find name 'total'. (and 2 more errors)")
        self.assertEqual(self.advice("total", "ReferenceError"), f"Call 1, which declares `total`, {refused}")
        self.assertNotIn("declares", self.run_raised("nothing", "TypeScriptError", language="typescript").traceback)
