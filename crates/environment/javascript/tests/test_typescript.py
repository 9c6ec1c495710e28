"""TypeScript: checked first, and run in the scope that JavaScript has."""

import itertools
import os
import time
import unittest
from pathlib import Path

from harness import MODULES, PATIENCE, RUNTIME, KernelCase, only_deno, quoted


@unittest.skipUnless(MODULES and os.path.isdir(f"{MODULES}/typescript"), "no typescript in CELLBLOCK_TEST_NODE_MODULES")
class TypeScript(KernelCase):
    def test_what_is_wrong_does_not_run(self) -> None:
        call = self.run_raised("console.log('ran');\nconst x: number = 'a';", "TypeScriptError", language="typescript")
        self.assertEqual(call.stdout, "")
        self.assertEqual(call.report["evalue"], "TS2322: Type 'string' is not assignable to type 'number'.")
        self.assertEqual(
            call.traceback,
            "cell-1.ts:2:7 - error TS2322: Type 'string' is not assignable to type 'number'.\n\n2 const x: number = 'a';\n        ~",
        )

    def test_a_warning_runs(self) -> None:
        call = self.run_ok("const x: number = 'a'; x", language="typescript", type_errors="warn")
        self.assertEqual(quoted(call.value or ""), "'a'")
        self.assertIn("cell-1.ts:1:7 - error TS2322", call.stderr)

    def test_one_scope_with_javascript(self) -> None:
        self.run_ok("const words = ['a', 'b']; function twice(n) { return n * 2 }")
        self.assertEqual(self.value("const n: number = twice(words.length); n", language="typescript"), "4")
        self.assertEqual(self.value("n + 1"), "5")
        self.run_raised("const m: string = words.length", "TypeScriptError", language="typescript")

    def test_places_are_those_of_the_text(self) -> None:
        call = self.run_raised(
            "enum Kind { A = 1 }\ninterface P { a: number }\nfunction f(p: P): never {\n  throw new Error(`${p.a}`)\n}\n\nf({ a: Kind.A })",
            "Error",
            language="typescript",
        )
        self.assertTrue(call.traceback.startswith("cell-1.ts:4\n  throw new Error(`${p.a}`)\n        ^\n"), call.traceback)
        self.assertIn("at f (cell-1.ts:4:9)\n    at cell-1.ts:7:1", call.traceback)

    def test_a_cell_that_is_an_object_is_one(self) -> None:
        self.assertEqual(self.value("{ a: 1, b: [2] as number[] }", language="typescript"), "{ a: 1, b: [ 2 ] }")
        self.assertEqual(self.value("{ let n: number = 3; n + 1 }", language="typescript"), "4")
        self.assertEqual(self.value("{ a: 1 };", language="typescript"), "1")
        call = self.run_raised("{ a: 'x', b: 'y'.missing,\n  c: nothing }", "TypeScriptError", language="typescript")
        self.assertIn("cell-4.ts:1:18 - error TS2339", call.traceback)
        self.assertIn("cell-4.ts:2:6 - error TS2304", call.traceback)
        self.assertIn("\n" + 19 * " " + "~~~~~~~\n", call.traceback)
        call = self.run_raised("{ a: ((): never => { throw new Error('x') })() }", "Error", language="typescript")
        self.assertTrue(call.traceback.endswith("at cell-5.ts:1:28\n    at cell-5.ts:1:45"), call.traceback)
        # Translated to another text, with places that have moved already.
        call = self.run_raised("{ a: new (class { constructor(public b: number) { throw new Error('x') } })(1) }", "Error", language="typescript")
        self.assertTrue(call.traceback.endswith("at new a (cell-6.ts:1:57)\n    at cell-6.ts:1:6"), call.traceback)

    def test_places_of_errors_that_are_shown(self) -> None:
        code = "enum Kind { A, B }\nfunction made(): Error { return   new Error('x') }\nconst error = made()\nconsole.log(error)\nerror"
        call = self.run_ok(code, language="typescript")
        places = "Error: x\n    at made (cell-1.ts:2:35)\n    at cell-1.ts:3:15"
        self.assertEqual(call.stdout, f"{places}\n")
        self.assertEqual(call.value, places)
        self.assertIn("made (cell-1.ts:2:35)", self.run_ok("console.error(error.stack); [error]").stderr)
        self.assertIn("made (cell-1.ts:2:35)", self.value("[error]") or "")

    def test_imports(self) -> None:
        code = "import { join } from 'node:path'; import type { Stats } from 'node:fs'; const s: string = join('a', 'b'); s"
        self.assertEqual(self.value(code, language="typescript"), "'a/b'")
        os.symlink(MODULES, self.kernel.work / "node_modules")
        code = "import { camelCase, chunk } from 'lodash'; const parts: string[][] = chunk([camelCase('a b')], 1); parts"
        self.assertEqual(self.value(code, language="typescript"), "[ [ 'aB' ] ]")

    @only_deno
    def test_denos_own_names(self) -> None:
        code = "const here: string = Deno.cwd(); const text: Promise<string> = Deno.readTextFile('x'); text.catch(() => 0); here.length > 0"
        self.assertEqual(self.value(code, language="typescript"), "true")
        call = self.run_raised("const here: number = Deno.cwd()", "TypeScriptError", language="typescript")
        self.assertIn("TS2322", call.report["evalue"])
        # The kernel offers Node's modules by name in JavaScript.
        self.assertEqual(self.value("typeof process.pid", language="typescript"), "'number'")

    def test_a_program_ends(self) -> None:
        call = self.kernel.run("const n: number = 5; console.log(n)", language="typescript", final=True, filename="/dir/p.ts")
        self.assertEqual((call.status, call.stdout, call.report["exit_status"]), ("ok", "5\n", 0))
        self.assertEqual(self.kernel.process.wait(20), 0)

    def test_an_interrupt_while_it_is_checked(self) -> None:
        call = self.kernel.send("const x: number = 1; await new Promise(() => {})", language="typescript")
        self.kernel.interrupt(call)
        self.assertTrue(self.kernel.collect(call).report["interrupted"])
        self.assertEqual(self.value("const y: number = 2; y", language="typescript"), "2")

    def test_a_check_that_is_interrupted_does_not_hold_up_the_next(self) -> None:
        self.run_ok("const kept: number = 1", language="typescript")
        pid = self.kernel.process.pid
        children = [int(child) for task in os.listdir(f"/proc/{pid}/task") for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
        self.assertEqual(len(children), 1)

        def worked() -> int:
            return int(Path(f"/proc/{children[0]}/stat").read_text().rsplit(")", 1)[1].split()[11])

        def ended() -> bool:
            try:
                return ") Z " in Path(f"/proc/{children[0]}/stat").read_text()
            except OSError:
                return True

        before = worked()
        names = " | ".join(f"'{at}'" for at in range(60))
        endless = "{ [K in `${Much}`]: { [L in `${Much}`]: K } }"
        call = self.kernel.send(
            f"type U = {names}; type Much = `${{U}}${{U}}`; const all: {endless} = {{}} as {endless};", language="typescript"
        )
        deadline = time.monotonic() + PATIENCE
        while worked() < before + 30 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.kernel.interrupt(call)
        self.assertTrue(self.kernel.collect(call).report["interrupted"])
        # What it works at would take minutes.
        deadline = time.monotonic() + PATIENCE
        while not ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertTrue(ended())
        next_ = self.run_raised("kept.length", "TypeScriptError", language="typescript")
        self.assertIn("TS2339", next_.report["evalue"])

    def test_of_many_errors_the_first_are_shown(self) -> None:
        call = self.run_raised("".join(f"const n{at}: number = 'a'\n" for at in range(27)), "TypeScriptError", language="typescript")
        self.assertEqual(call.report["evalue"], "TS2322: Type 'string' is not assignable to type 'number'. (and 26 more errors)")
        self.assertEqual(call.traceback.count("error TS2322"), 20)
        self.assertTrue(call.traceback.endswith("\n\nand 7 more errors"), call.traceback)

    def write(self, name: str, text: str) -> None:
        path = self.kernel.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_enums_and_namespaces_take_the_place_of_other_names(self) -> None:
        numbers = itertools.count()
        for before in ("const {} = 1", "let {} = 1", "var {} = 1", "function {}() {{}}", "class {} {{}}"):
            for after, value in [
                ("enum {0} {{ A = 1, B }}\n{0}.B", "2"),
                ("const enum {0} {{ A = 4 }}\n{0}.A", "4"),
                ("namespace {0} {{ export const x = 5 }}\n{0}.x", "5"),
                ("class {0} {{ a = 1 }}\nnamespace {0} {{ export const x = 6 }}\n{0}.x + new {0}().a", "7"),
            ]:
                name = f"N{next(numbers)}"
                with self.subTest(f"{before}, then {after}"):
                    self.run_ok(before.format(name), language="typescript")
                    self.assertEqual(self.value(after.format(name), language="typescript"), value)
        self.run_ok("const Both = 1", language="typescript")
        self.run_ok("namespace Both { export const x = 5 }", language="typescript")
        code = "namespace Both { export const y = x + 1 }\n[Both.x, Both.y]"
        self.assertEqual(self.value(code, language="typescript"), "[ 5, 6 ]")
        self.assertEqual(self.value("const Both = 'text'\nBoth.length", language="typescript"), "4")

    def test_a_namespace_goes_on_with_a_class(self) -> None:
        self.run_ok("class Dog { static count = 1; bark() { return 'woof' } }", language="typescript")
        self.assertEqual(self.value("namespace Dog { export const legs = 4 }\n[Dog.legs, new Dog().bark()]", language="typescript"), "[ 4, 'woof' ]")
        self.assertEqual(self.value("export namespace Dog { export const ears = 2 }\n[Dog.ears, Dog.legs, Dog.count]", language="typescript"), "[ 2, 4, 1 ]")

    def test_what_decorators_need_is_not_seen_and_takes_no_names(self) -> None:
        decorated = "function upper(get: any, context: any) { return function (this: any) { return get.call(this).toUpperCase() } }\n"
        decorated += "class CLASS { @upper name() { return 'CLASS' } @upper other() { return '_init' } }\nnew CLASS().name()"
        self.run_ok("const _init = 'mine', _name_dec = 1, __create = 2", language="typescript")
        for name in "Ab", "Cd":
            self.assertEqual(self.value(decorated.replace("CLASS", name), language="typescript"), f"'{name.upper()}'")
        self.assertEqual(self.value("[_init, __create, new Ab().other(), new Cd().other()]", language="typescript"), "[ 'mine', 2, '_INIT', '_INIT' ]")
        # What only looks like such a name, once escapes are read and texts put together, stays as it is.
        code = decorated.replace("CLASS", "Ef") + "\nenum Key { A = '\\t_id', B = '_', C = `${B}init_x`, D = '\\x5fnext' }\n[Key.A, Key.C, Key.D].join('|')"
        self.assertEqual((self.value(code, language="typescript") or "")[1:-1], "\\t_id|_init_x|_next")
        self.value(decorated.replace("CLASS", "Gh") + "\n'\\t_init2' + (function (_initialized: any) {})", language="typescript")
        self.assertEqual(self.value("new Ab().name() + new Gh().name()", language="typescript"), "'ABGH'")
        for word in "_", "__", "\u1885":
            matches = {name for name, _ in self.kernel.ask(word).report["answer"]["matches"]}
            self.assertEqual({name for name in matches if "dec" in name.lower() and name != "_name_dec"}, set())
            self.assertFalse({"_init2", "__decorateElement"} & matches, matches)

    def test_calls_of_javascript_before_the_first_of_typescript_have_types(self) -> None:
        self.run_ok("const rows = [{ id: 1, name: 'a' }]\nfunction total(list) { return list.length }")
        self.run_ok("import { join } from 'node:path'; const size = total(rows)")
        code = "const names: string[] = rows.map(row => row.name); join(names[0], String(size.toFixed()))"
        self.assertEqual(self.value(code, language="typescript"), "'a/1'")
        call = self.run_raised("rows[0].nam; join(1)", "TypeScriptError", language="typescript")
        self.assertIn("cell-4.ts:1:9 - error TS2551", call.traceback)
        self.assertIn("cell-4.ts:1:19 - error TS2345", call.traceback)

    def test_files_of_ones_own_are_found_as_the_check_finds_them(self) -> None:
        people = "export interface Person { name: string }\nexport enum Kind { A = 3 }\n\nexport const x: number = 5;\n"
        self.write("people.ts", people + "export function fail(p: Person): never {\n  throw new Error(p.name);\n}\n")
        self.write("other.ts", "import { Person, Kind } from './people';\nexport const who: Person = { name: 'a' }, kind = Kind.A;")
        self.write("lib/index.ts", "import { x } from '../people.js'; export default x + 1")
        self.write("old.cts", "const a: number = 4; module.exports = { a };")
        for code, value in [
            ("import { Person, x } from './people'; const p: Person = { name: 'b' }; x", "5"),
            ("import { Kind } from './people.js'; Kind.A", "3"),
            ("import { who, kind } from './other'; [who.name, kind]", quoted("[ 'a', 3 ]")),
            ("import six from './lib'; six", "6"),
            ("(await import('./people.ts')).x", "5"),
            ("require('./old.cts').a", "4"),
            # Deno's `require` knows JavaScript's endings alone.
            (f"require('./other{'' if RUNTIME == 'node' else '.ts'}').kind", "3"),
        ]:
            with self.subTest(code):
                self.assertEqual(self.value(code, language="typescript"), value)
        call = self.run_raised("import { fail } from './people';\nfail(who)", "Error", language="typescript")
        self.assertIn(f"at fail ({self.kernel.work}/people.ts:6:9)", call.traceback)
        call = self.run_raised("import './people'; import './nobody'", "TypeScriptError", language="typescript")
        self.assertIn("side-effect import of './nobody'", call.traceback)

    def test_what_is_wrong_in_a_file_of_ones_own_does_not_run(self) -> None:
        self.write("lib.ts", "console.log('ran');\nexport const n: number = 'a';")
        self.write("bad.ts", "const a: = 1")
        call = self.run_raised("import { n } from './lib.ts'; console.log(n)", "TypeScriptError", language="typescript")
        self.assertEqual(call.stdout, "")
        self.assertEqual(call.report["evalue"], "lib.ts:2:14: TS2322: Type 'string' is not assignable to type 'number'.")
        self.assertEqual(
            call.traceback,
            "lib.ts:2:14 - error TS2322: Type 'string' is not assignable to type 'number'.\n\n2 export const n: number = 'a';\n               ~",
        )
        call = self.run_raised("import './bad.ts'", "TypeScriptError", language="typescript")
        self.assertIn("bad.ts:1:10 - error TS1110: Type expected.\n\n1 const a: = 1\n           ~", call.traceback)
        call = self.run_ok("import { n } from './lib.ts'; n", language="typescript", type_errors="warn")
        self.assertEqual((call.stdout, quoted(call.value or "")), ("ran\n", "'a'"))
        self.assertIn("lib.ts:2:14 - error TS2322", call.stderr)

    def test_a_file_is_read_again_by_another_query(self) -> None:
        for number in (1, 2):
            self.write("lib.ts", f"export const n: number = {number}")
            self.assertEqual(self.value(f"import {{ n }} from './lib.ts?{number}'; n", language="typescript"), f"{number}")
        self.write("lib.ts", "export const n: number = 'a'")
        call = self.run_raised("import { n } from './lib.ts?3'; n", "TypeScriptError", language="typescript")
        self.assertIn("lib.ts:1:14: TS2322", call.report["evalue"])

    def test_a_program_of_two_files(self) -> None:
        self.write("dir/people.ts", "export const names: string[] = ['a']")
        call = self.kernel.run(
            "import { names } from './people'\nnames[0] satisfies string\nconsole.log(names.length)",
            language="typescript", final=True, filename=str(self.kernel.work / "dir/main.ts"),
        )  # fmt: skip
        self.assertEqual((call.status, call.stdout), ("ok", "1\n"), call.traceback)

    def test_packages_of_the_sessions_own_layer(self) -> None:
        self.write("../.local/lib/node_modules/own/index.js", "module.exports = 7")
        self.assertEqual(self.value("import own from 'own'; import 'own'; own", language="typescript"), "7")
        self.run_raised("import 'none'", "TypeScriptError", language="typescript")


class WithoutCompiler(KernelCase):
    options = {"env": {"CELLBLOCK_TEST_NODE_MODULES": "/nowhere"}}

    def test_what_cannot_be_checked_does_not_run(self) -> None:
        call = self.run_raised("console.log('ran'); const n: number = 1", "TypeScriptError", language="typescript")
        self.assertEqual(call.stdout, "")
        self.assertRegex(call.report["evalue"], "^the types could not be checked: .+, so the code did not run$")
        self.assertEqual(call.traceback, f"TypeScriptError: {call.report['evalue']}")
        self.assert_alive()
