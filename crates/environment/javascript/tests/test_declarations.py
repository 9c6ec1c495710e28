"""Names that are declared again, as anything; and constants, which are constant for all that."""

import unittest
from harness import KernelCase, cell

KINDS = {
    "const": "const NAME = VALUE",
    "let": "let NAME = VALUE",
    "var": "var NAME = VALUE",
    "class": "class NAME { static is = VALUE }",
    "function": "function NAME() { return VALUE }",
    "import": "import { sep as NAME } from 'node:path'",
    "const of an object": "const { NAME, NAME_more = 2 } = { NAME: VALUE }",
    "let of several": "let NAME_more = 2, NAME = VALUE",
    "var of several": "var NAME_more = 2, [NAME] = [VALUE]",
    "var in a block": "if (true) var NAME = VALUE",
    "var in a loop": "for (var NAME = VALUE; false; );",
}
#: What the value is read by.
READ = {"class": "NAME.is", "function": "NAME()"}
#: What cannot be assigned.
CONSTANT = {"const", "const of an object", "import"}
REFUSED = "Assignment to constant variable."


def shown(kind: str, value: int) -> str:
    return "'/'" if kind == "import" else str(value)


class Again(KernelCase):
    def test_every_kind_may_come_after_every_kind(self) -> None:
        for at, (first, declared) in enumerate(KINDS.items()):
            for to, (second, again) in enumerate(KINDS.items()):
                name = f"n{at}_{to}"
                with self.subTest(first=first, second=second):
                    self.run_ok(declared.replace("NAME", name).replace("VALUE", "1"))
                    self.assertEqual(self.value(READ.get(first, "NAME").replace("NAME", name)), shown(first, 1))
                    self.run_ok(again.replace("NAME", name).replace("VALUE", "7"))
                    self.assertEqual(self.value(READ.get(second, "NAME").replace("NAME", name)), shown(second, 7))
                    if second in CONSTANT:
                        self.assertEqual(self.run_raised(f"{name} = 9", "TypeError").report["evalue"], REFUSED)
                    else:
                        self.assertEqual(self.value(f"{name} = 9; {name}"), "9")

    def test_every_kind_may_be_changed_where_it_comes_after_a_constant(self) -> None:
        for kind in ["let NAME = 0", "var NAME = 0", "for (var NAME = 0, end = 0; end; );"]:
            with self.subTest(kind=kind):
                self.run_ok("const total = 5")
                code = f"{kind.replace('NAME', 'total')}\nfor (const n of [1, 2]) total += n; total"
                self.assertEqual(self.value(code), "3")
                self.assertEqual(self.value("total += 1; total"), "4")

    def test_a_declaration_that_failed_may_come_again(self) -> None:
        for at, first in enumerate(["const x = fail()", "let x = fail()", "class x { static y = fail() }"]):
            for to, second in enumerate(["const x = 7", "let x = 7", "var x = 7", "function x() {}", "class x {}"]):
                with self.subTest(first=first, second=second):
                    name = f"t{at}_{to}"
                    self.run_raised(first.replace("x", name), "ReferenceError")
                    self.run_ok(second.replace("x", name))
                    self.assertEqual(self.value(f"typeof {name} === 'undefined'"), "false")

    def test_a_declaration_may_go_on_with_what_there_is(self) -> None:
        for kind in ["const", "let", "var"]:
            with self.subTest(kind=kind):
                self.run_ok(f"{kind} {kind}_app = {{ one: 1 }}")
                self.assertEqual(self.value(f"var {kind}_app = {kind}_app || {{}}; {kind}_app"), "{ one: 1 }")

    def test_in_strict_code_too(self) -> None:
        self.run_ok("function one() {}; var two = 2")
        self.run_ok("'use strict'; let one = 1, other = 2; const { two, three } = { two: 22, three: 3 }; class D {}")
        self.assertEqual(self.value("[one, other, two, three]"), "[ 1, 2, 22, 3 ]")

    def test_a_word_that_is_no_declaration_stays(self) -> None:
        self.assertEqual(self.value("const text = `const a = 1`; // const b\ntext + 'const c'"), "'const a = 1const c'")
        self.assertEqual(self.value("const s = []; for (const a of [1, 2]) s.push(() => a); s.map((f) => f())"), "[ 1, 2 ]")
        self.run_raised("{ const inner = 1; inner = 2 }", "TypeError")
        self.run_raised("const missing", "SyntaxError")
        self.run_raised("early; const early = 1", "ReferenceError")


class Constants(KernelCase):
    def refused(self, code: str, line: int, column: int) -> None:
        with self.subTest(code=code):
            call = self.run_raised(code, "TypeError")
            self.assertEqual(call.report["evalue"], REFUSED)
            shown = code.split("\n")[line - 1]
            name = f"cell-{call.report['execution_count']}.js"
            self.assertTrue(call.traceback.startswith(f"{name}:{line}\n{shown}\n{' ' * (column - 1)}^\n"), call.traceback)
            self.assertIn(f"{name}:{line}:{column}", call.traceback)
            self.assertNotIn("cellblock_kernel", call.traceback)

    def test_an_assignment_is_refused_at_its_place(self) -> None:
        self.run_ok("const k = 1, kk = 10n, o = { k: 5 }, nothing = null")
        self.refused("k = 2", 1, 3)
        self.refused("k   +=   2", 1, 5)
        self.refused("1;\nkk *= 2n", 2, 4)
        self.refused("k++", 1, 2)
        self.refused("--k", 1, 3)
        self.refused("[o.k, k] = [1, 2]", 1, 7)
        self.refused("[k = 3] = []", 1, 2)
        self.refused("({ k: k } = o)", 1, 7)
        self.refused("for (k of [1]) ;", 1, 6)
        self.refused("for (k in o) ;", 1, 6)
        self.refused("const local = 1; local = 2", 1, 24)
        self.refused("function g() {\n  k = 3\n}\ng()", 2, 5)
        self.refused("'use strict'; k = 1", 1, 17)
        self.assertEqual(self.value("[k, kk]"), "[ 1, 10n ]")

    def test_what_stands_in_short_forms_is_refused_too(self) -> None:
        self.run_ok("const k = 1, nothing = null")
        for code in ["({ k } = { k: 2 })", "({ k = 3 } = {})", "({ ...k } = {})", "nothing ??= 1", "k &&= 2"]:
            self.assertEqual(self.run_raised(code, "TypeError").report["evalue"], REFUSED)
        self.assertEqual(self.value("k ??= 5; k ||= 6; nothing &&= 7; [k, nothing]"), "[ 1, null ]")

    def test_what_was_said_before_has_happened(self) -> None:
        call = self.run_raised("console.log('ran'); const n = 1; n = console.log('right side')", "TypeError")
        self.assertEqual(call.stdout, "ran\nright side\n")
        self.assertEqual(self.value("try { n = 2 } catch (error) { error.message }"), f"'{REFUSED}'")

    def test_another_of_the_name_in_an_inner_scope_is_free(self) -> None:
        self.run_ok("const x = 1")
        inner = [
            "{ let x = 1; x = 2 }",
            "((x) => { x = 2 })(1)",
            "(({ a: [x] }) => { x = 2 })({ a: [1] })",
            "(function () { if (true) { var x = 1 } x = 2 })()",
            "(function () { x = 2; function x() {} })()",
            "for (let x = 0; x < 2; x++) ;",
            "for (let x of [1]) x = 2",
            "try { throw 1 } catch (x) { x = 2 }",
            "switch (1) { case 1: let x = 1; x = 2 }",
            "with ({ x: 1 }) x = 2",
            "class A { static { let x = 1; x = 2 } }",
            "const o = { x: 1 }; o.x = 2; ({ x: o.x } = { x: 3 })",
        ]
        for code in inner:
            with self.subTest(code=code):
                self.run_ok(code)
        self.assertEqual(self.value("x"), "1")
        self.run_raised("(() => { { let x = 1 } x = 2 })()", "TypeError")

    def test_positions_behind_a_constant_stay(self) -> None:
        call = self.run_raised(cell("const a = 1; const b = () => { throw new Error('here') }; b()"))
        self.assertIn("at b (cell-1.js:1:38)\n    at cell-1.js:1:59", call.traceback)


if __name__ == "__main__":
    unittest.main()
