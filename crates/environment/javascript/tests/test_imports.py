"""import, export, require, and the globals of a module."""

import os
import unittest
from harness import MODULES, RUNTIME, KernelCase, quoted

#: What is not found is an error of this class.
MISSING = "TypeError" if RUNTIME == "deno" else "Error"


class Imports(KernelCase):
    def write(self, name: str, text: str) -> None:
        path = self.kernel.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_every_form(self) -> None:
        self.write("m.mjs", "export default 'd'; export const a = 1; export { a as 'odd name' }; export let n = 0")
        call = self.run_ok(
            """
            const above = typeof join + a;
            import d, { a, a as b, "odd name" as c } from './m.mjs'; import * as all from "./m.mjs";
            import { join } from 'node:path'
            import './m.mjs'
            import data from './d.json' with { type: 'json' };
            [above, d, a, b, c, Object.keys(all), data.x, join('x', 'y')].flat().join(' ')
            """
            if self.write("d.json", '{"x": 5}') is None
            else ""
        )
        self.assertEqual(quoted(call.value or ""), "'function1 d 1 1 1 a default n odd name 5 x/y'")
        self.assertEqual(self.value("a + b"), "2")

    def test_dynamic_and_meta(self) -> None:
        self.write("dir/m.mjs", "export const here = import.meta.url; export default 3")
        self.assertEqual(self.value("(await import('./dir/m.mjs')).default"), "3")
        self.assertEqual(self.value("const { sep } = await import('path'); sep"), "'/'")
        work = str(self.kernel.work)
        self.assertEqual(self.value("import.meta.dirname"), f"'{work}'")
        self.assertEqual(self.value("import.meta.url.startsWith('file://') && import.meta.main"), "true")
        self.assertEqual(self.value("import.meta.resolve('./x.mjs')"), f"'file://{work}/x.mjs'")
        self.run_ok("process.chdir('dir')")
        self.assertEqual(self.value("(await import('./m.mjs')).default"), "3")
        self.assertEqual(self.value("import.meta.filename.replace(process.cwd(), '')"), "'/[cell]'")

    def test_in_a_text_that_is_evaluated_where_it_is_written(self) -> None:
        self.write("m.mjs", "export const a = 1")
        for code in (
            '''(await eval("import('./m.mjs')")).a''',
            '''(await (0, eval)("import('./m.mjs')")).a''',
            '''const load = new Function('name', 'return import(name)'); (await load('./m.mjs')).a''',
            '''(await globalThis.Function(`return import('./m.mjs')`)()).a''',
            '''const AsyncFunction = (async () => {}).constructor; await AsyncFunction("return (await import('./m.mjs')).a")()''',
            '''(await require('vm').runInThisContext("import('./m.mjs')")).a''',
        ):
            with self.subTest(code=code):
                self.assertEqual(self.value(code), "1")
        # Other texts are left as they are.
        self.assertEqual(self.value('''eval("'import(1)'") + String("import(2)") + eval("`\\x31`; 'import(3)'")'''), "'import(1)import(2)import(3)'")
        call = self.run_raised("1\neval('import(1) = 2'); 3", "SyntaxError")
        self.assertIn("cell-8.js:2:1", call.traceback)
        call = self.run_raised('''eval("import('./m.mjs')"); throw new Error('e')''')
        self.assertIn("cell-9.js:1:34", call.traceback)

    def test_positions_stay(self) -> None:
        call = self.run_raised("import fs from 'fs'; import path\n from 'path'; const x = 1; throw new Error(`${typeof fs}`)")
        self.assertEqual(call.report["evalue"], "object")
        self.assertIn("at cell-1.js:2:34", call.traceback)
        call = self.run_raised("export const q = 1; export default q; throw new Error('e')")
        self.assertIn("at cell-2.js:1:45", call.traceback)

    def test_exports_declare_and_mean_nothing_else(self) -> None:
        self.run_ok("export const x = 1; export function f() { return 2 }; export class C {}; const y = 3; export { y, y as z }")
        self.assertEqual(self.value("[x, f(), typeof C, y]"), "[ 1, 2, 'function', 3 ]")
        self.assertEqual(self.value("export default x + 4"), "5")
        self.assertEqual(self.value("const before = 1\nexport default function () { return 6 }"), "[Function (anonymous)]")
        self.run_ok("export default class Named {}\nexport * from 'fs'\nexport { join as j } from 'path'")
        self.assertEqual(self.value("typeof Named"), "'function'")

    def test_the_value_is_that_of_the_users_code(self) -> None:
        self.assertEqual(self.value("7;\nimport fs from 'fs'"), "7")
        self.assertEqual(self.value("import os from 'os'\n[1, 2]"), "[ 1, 2 ]")
        self.assertIsNone(self.value("import os from 'os'"))

    def test_words_in_texts_are_left(self) -> None:
        self.assertEqual(self.value("const s = 'import x from y; export'; s.length"), "23")
        self.assertEqual(self.value("`import(${1})` + /import.meta/.source"), "'import(1)import.meta'")

    def test_imports_may_come_again_and_replace_other_names(self) -> None:
        for _ in range(2):
            self.run_ok("import fs from 'fs'; import { join as j } from 'path'")
        self.run_ok("var sep = 1; function join() {}; let resolve = 2")
        self.assertEqual(self.value("import { sep, join, resolve } from 'path'; sep + join('a', 'b') + typeof resolve"), "'/a/bfunction'")

    def test_what_is_not_there(self) -> None:
        call = self.run_raised("1;\n  import x from 'no-such-package'", MISSING)
        self.assertEqual(
            call.traceback.split("\n")[:3], ["cell-1.js:2", "  import x from 'no-such-package'", "                ^"]
        )
        self.assertNotIn("node:internal", call.traceback)
        self.assertIn("ERR_MODULE_NOT_FOUND", call.traceback)
        call = self.run_raised("import { nothing } from 'fs'", "SyntaxError")
        self.assertIn("does not provide an export named 'nothing'", call.report["evalue"])
        self.run_raised("await import('./none.mjs')", MISSING)
        self.run_raised("require('./none')", "Error")

    def test_who_imported_it_is_called_as_in_tracebacks(self) -> None:
        if RUNTIME == "node":
            call = self.run_raised("import x from 'no-such-package'", "Error")
            self.assertEqual(call.report["evalue"], "Cannot find package 'no-such-package' imported from cell-1.js")
            call = self.run_raised("await import('./none.mjs')", "Error")
            self.assertTrue(call.report["evalue"].endswith("/none.mjs' imported from cell-2.js"), call.report["evalue"])
        else:
            self.run_ok("1")
            self.run_ok("2")
        for code in ("require('none')", "require.resolve('none')"):
            call = self.run_raised(code, "Error")
            number = call.report["execution_count"]
            self.assertEqual(call.report["evalue"], f"Cannot find module 'none'\nRequire stack:\n- cell-{number}.js")
            self.assertNotIn("[cell]", call.traceback)
        self.write("asks.cjs", "require('none')")
        call = self.run_raised("require('./asks.cjs')", "Error")
        self.assertRegex(call.report["evalue"], r"Require stack:\n- /.*/asks\.cjs\n- cell-5\.js$")
        self.assertEqual(self.value("try { require('none') } catch (error) { error.code }"), "'MODULE_NOT_FOUND'")

    def test_modules_of_other_places(self) -> None:
        for specifier in ("jsr:@std/path", "http://127.0.0.1:1/mod.ts"):
            for code in (f"import '{specifier}'", f"await import('{specifier}')"):
                call = self.run_raised(code, MISSING)
                self.assertIn(specifier.removeprefix("jsr:"), call.report["evalue"])
                self.assertIn("the libraries at hand need none", call.report["evalue"])
                self.assertIn("`npm install NAME`", call.report["evalue"])
                self.assertEqual(call.traceback.count("libraries at hand"), 1)
        if RUNTIME == "node":
            for code in ("import 'npm:@own/pkg@2/part'", "require('npm:@own/pkg@2/part')"):
                call = self.run_raised(code, MISSING)
                self.assertEqual(
                    call.report["evalue"],
                    "Cannot import 'npm:@own/pkg@2/part': in Node.js a package is imported by its name alone, '@own/pkg/part'",
                )

    def test_names_that_only_a_running_commonjs_module_has(self) -> None:
        self.write("late.cjs", "class Kit { tool() { return 'tool' } }; module.exports = Object.assign(new Kit(), { ['a' + 1]: 1, b: 2 })")
        self.assertEqual(self.value("import kit, { a1, b as two, tool } from './late.cjs'; [kit.b, a1, two, tool()]"), "[ 2, 1, 2, 'tool' ]")
        self.run_ok("export { a1 } from './late.cjs'")
        call = self.run_raised("1\nimport { a1, a2 } from './late.cjs'", "SyntaxError")
        self.assertEqual(call.report["evalue"], "The requested module './late.cjs' does not provide an export named 'a2'")
        self.assertTrue(call.traceback.startswith("cell-3.js:2\nimport { a1, a2 }"), call.traceback)
        # A module of the language has the names that it exports, and no others.
        self.write("m.mjs", "export default { a1: 1 }")
        self.run_raised("import { a1 } from './m.mjs'", "SyntaxError")
        self.write("number.cjs", "module.exports = 5")
        self.run_raised("import { a1 } from './number.cjs'", "SyntaxError")

    def test_a_module_that_fails_says_where(self) -> None:
        self.write("bad.mjs", "export const x = 1;\nnull.y\n")
        call = self.run_raised("import './bad.mjs'", "TypeError")
        self.assertIn("bad.mjs:2:6", call.traceback)
        self.write("worse.mjs", "export const x = ;\n")
        name, text = ("TypeError", "Expression expected") if RUNTIME == "deno" else ("SyntaxError", "Unexpected token ';'")
        self.assertIn(text, self.run_raised("import './worse.mjs'", name).traceback)

    def test_syntax_errors_beside_imports(self) -> None:
        call = self.run_raised("import fs from 'fs';\nconst = 5", "SyntaxError")
        self.assertTrue(call.traceback.startswith("cell-1.js:2\nconst = 5\n      ^\n"), call.traceback)
        call = self.run_raised("'import';\nconst = 5", "SyntaxError")
        self.assertTrue(call.traceback.startswith("cell-2.js:2\nconst = 5\n      ^\n"), call.traceback)

    def test_packages_nearby_and_in_the_layer(self) -> None:
        layer = self.kernel.home / ".local/lib/node_modules"
        for place, name in ((layer, "layered"), (layer, "@scope/inner"), (self.kernel.work / "node_modules", "near")):
            folder = place / name
            folder.mkdir(parents=True)
            (folder / "package.json").write_text(f'{{"name": "{name}", "version": "1.0.0", "main": "i.js"}}')
            (folder / "i.js").write_text(f"exports.name = '{name}'")
        for name in ("layered", "@scope/inner", "near"):
            with self.subTest(name=name):
                self.assertEqual(self.value(f"require('{name}').name"), f"'{name}'")
                self.assertEqual(self.value(f"(await import('{name}')).name"), f"'{name}'")
                self.assertEqual(self.value(f"import {{ name as n{len(name)} }} from '{name}'; n{len(name)}"), f"'{name}'")

    def test_a_loop_in_a_module_is_interrupted(self) -> None:
        self.write("loop.mjs", "console.log('READY'); for (;;);")
        for code in ("import './loop.mjs'", "await import('./loop.mjs?again')"):
            with self.subTest(code):
                self.assertTrue(self.kernel.interrupted(code).report["interrupted"])
                self.assertEqual(self.value("1 + 1"), "2")

    @unittest.skipUnless(MODULES and os.path.isdir(f"{MODULES}/cheerio"), "no cheerio in CELLBLOCK_TEST_NODE_MODULES")
    def test_a_library(self) -> None:
        os.symlink(MODULES, self.kernel.work / "node_modules")
        self.assertEqual(self.value("import * as cheerio from 'cheerio'; const $ = cheerio.load('<p>hi</p>'); $('p').text()"), "'hi'")
        self.assertIn("LoadedCheerio", self.value("$('p')") or "")
        self.assertEqual(self.value("import { camelCase, chunk as parts } from 'lodash'; [camelCase('a b'), parts([1, 2], 1).length]"), "[ 'aB', 2 ]")
        self.assertEqual(self.value("import * as _ from 'lodash'; [_.camelCase('a b'), typeof _.default.chunk]"), "[ 'aB', 'function' ]")

    def test_all_names_of_a_commonjs_module(self) -> None:
        self.write(
            "late.cjs",
            "module.exports = Object.assign(() => {}, { one: 1 }); "
            "Object.defineProperty(module.exports, 'slow', { enumerable: true, get() { console.log('asked'); return 2 } });",
        )
        call = self.run_ok("import * as late from './late.cjs'; [late.one, typeof late.default, 'slow' in late]")
        self.assertEqual((call.stdout, quoted(call.value or "")), ("", "[ 1, 'function', true ]"))
        self.assertEqual(self.run_ok("late.slow").stdout, "asked\n")


class Require(KernelCase):
    def test_relative_to_where_the_process_works(self) -> None:
        (self.kernel.work / "sub").mkdir()
        (self.kernel.work / "a.js").write_text("exports.at = __dirname")
        (self.kernel.work / "sub/b.json").write_text('{"b": 1}')
        self.assertEqual(self.value("require('./a').at === process.cwd()"), "true")
        self.assertEqual(self.value("require('./a') === require('./a.js')"), "true")
        self.run_ok("process.chdir('sub')")
        self.assertEqual(self.value("require('./b').b"), "1")
        self.assertEqual(self.value("require.resolve('../a') in require.cache"), "true")

    def test_module_and_file_names(self) -> None:
        self.assertEqual(self.value("[__dirname === process.cwd(), __filename === __dirname + '/[cell]']"), "[ true, true ]")
        self.assertEqual(self.value("require.main === module && exports === module.exports"), "true")
        self.assertEqual(self.value("__filename + __dirname", filename="/some/prog.js"), "'/some/prog.js/some'")

    def test_builtins_by_name(self) -> None:
        self.assertEqual(self.value("typeof fs.readFileSync + path.sep + os.EOL.length"), "'function/1'")
        # Deno's own global of that name is the web's.
        self.assertEqual(self.value("typeof crypto.createHash"), "'undefined'" if RUNTIME == "deno" else "'function'")
        for _ in range(2):
            self.run_ok("const fs = require('fs'); var path = require('path'); let os = 5; function util() {}")
        self.assertEqual(self.value("os + typeof util + path.sep"), "'5function/'")
        self.run_ok("url = 7")
        self.assertEqual(self.value("url"), "7")

    def test_nothing_of_ours_is_listed(self) -> None:
        names = self.value("const seen = []; for (const name in globalThis) seen.push(name); seen.join(' ')")
        for name in ("require", "module", "display", "fs", "cellblock", "ımport"):
            self.assertNotIn(name, (names or "").split("'")[1].split(" "))
        self.assertEqual(self.value("Object.getOwnPropertyNames(globalThis).filter(n => /cellblock/i.test(n)).length"), "0")
        self.assertEqual(self.value("process.argv.length"), "1")
