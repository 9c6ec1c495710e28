"""Errors: their names, texts and places."""

import socket

from harness import RUNTIME, KernelCase, quoted


UNHANDLED = "Nobody handled this rejection: `await` the promise, or give it a `catch`."


class Errors(KernelCase):
    def test_a_traceback_ends_where_the_code_does(self) -> None:
        call = self.run_raised(
            """
            function outer() { inner() }
            function inner() {
              throw new TypeError('wrong')
            }
            outer()
            """,
            "TypeError",
        )
        self.assertEqual(call.report["evalue"], "wrong")
        self.assertEqual(
            call.traceback,
            "cell-1.js:3\n  throw new TypeError('wrong')\n        ^\n\nTypeError: wrong\n"
            "    at inner (cell-1.js:3:9)\n    at outer (cell-1.js:1:20)\n    at cell-1.js:5:1",
        )

    def test_after_an_await_too(self) -> None:
        call = self.run_raised("const f = async () => { await 1; null.x };\n\nawait f()", "TypeError")
        self.assertTrue(call.traceback.startswith("cell-1.js:1\n"), call.traceback)
        self.assertTrue(call.traceback.endswith("at async cell-1.js:3:1"), call.traceback)

    def test_an_earlier_calls_function(self) -> None:
        self.run_ok("function boom() {\n\tthrow new Error('b')\n}")
        call = self.run_raised("1;\nboom()")
        self.assertTrue(call.traceback.startswith("cell-1.js:2\n\tthrow new Error('b')\n\t      ^\n"), call.traceback)
        self.assertIn("at cell-2.js:2:1", call.traceback)

    def test_syntax(self) -> None:
        call = self.run_raised("const a = 1;\nfoo(a,;)", "SyntaxError")
        self.assertEqual(call.traceback, "cell-1.js:2\nfoo(a,;)\n      ^\n\nSyntaxError: Unexpected token ';'")
        self.assertIsNone(self.value("typeof a === 'undefined' ? undefined : 1"))

    def test_the_name_of_a_program(self) -> None:
        call = self.run_raised("1;\nthrow new Error('x')", filename="/work dir/prog é.js")
        self.assertTrue(call.traceback.startswith("/work dir/prog é.js:2\nthrow"), call.traceback)

    def test_a_refused_request_has_the_callers_frames(self) -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            # Bound, and nobody listens there.
            address = f"http://127.0.0.1:{held.getsockname()[1]}/"
            call = self.run_raised(f"async function asked() {{\n  return await fetch('{address}')\n}}\nawait asked()", "TypeError")
            shown = self.run_ok(f"const error = await fetch('{address}').catch((error) => error); console.log(error); error")
        for text in (shown.stdout, shown.value or ""):
            self.assertNotIn("node:internal", text)
            self.assertIn("ECONNREFUSED" if RUNTIME == "node" else "Connection refused", text)
        frames = [line.strip().rstrip(" {") for line in call.traceback.splitlines() if line.startswith("    at ")]
        self.assertEqual(frames, ["at async asked (cell-1.js:2:10)", "at async cell-1.js:4:1"])
        self.assertNotIn("node:internal", call.traceback)
        self.assertNotIn("undici", call.traceback)
        self.assertIn("ECONNREFUSED" if RUNTIME == "node" else "Connection refused", call.traceback)
        self.assertEqual(call.traceback.count("{"), call.traceback.count("}"), call.traceback)

    def test_what_is_no_error(self) -> None:
        for code, name, text in [
            ("throw 'plain'", "string", "plain"),
            ("throw null", "null", "null"),
            ("throw undefined", "undefined", "undefined"),
            ("throw 5n", "bigint", "5"),
            ("throw { code: 4 }", "Object", "{ code: 4 }"),
            ("throw Object.create(null)", "Object", "[Object: null prototype] {}"),
            ("throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } })", "Proxy", ""),
            ("throw { get stack() { throw 1 }, get message() { throw 2 } }", "Object", None),
            ("throw Symbol('s')", "symbol", "Symbol(s)"),
        ]:
            with self.subTest(code=code):
                call = self.run_raised(code, name)
                self.assertTrue(call.traceback.startswith("Uncaught "), call.traceback)
                if text is not None:
                    self.assertEqual(call.report["evalue"], text)

    def test_errors_that_are_hard_to_look_at(self) -> None:
        for code in [
            "class E extends Error { get stack() { throw 1 } get message() { throw 2 } }; throw new E('m')",
            "class E extends Error { get name() { throw 1 } }; throw new E('m')",
            "const e = new Error('m'); e.stack = { not: 'text' }; throw e",
            "const e = new Error('m'); Object.defineProperty(e, 'message', { value: 7 }); throw e",
            "const e = new Error('m'); e.cause = e; throw e",
            "const e = new Error('m'); e[Symbol.for('nodejs.util.inspect.custom')] = () => { throw 3 }; throw e",
            "Error.prepareStackTrace = () => { throw 4 }; throw new Error('m')",
        ]:
            with self.subTest(code=code):
                call = self.run_raised(code)
                self.assertTrue(call.report["ename"] and call.traceback, call.report)
                self.run_ok("delete Error.prepareStackTrace; 0")

    def test_causes_members_and_properties(self) -> None:
        call = self.run_raised("throw new Error('outer', { cause: new TypeError('inner') })")
        self.assertIn("[cause]: TypeError: inner\n      at cell-1.js:1:35", call.traceback)
        self.assertNotIn("matching cause", call.traceback)
        call = self.run_raised("await Promise.any([Promise.reject(new Error('e1')), Promise.reject(new RangeError('e2'))])", "AggregateError")
        self.assertIn("Error: e1", call.traceback)
        self.assertIn("RangeError: e2", call.traceback)
        call = self.run_raised("throw Object.assign(new Error('m'), { code: 'E_MINE', detail: { n: 1 } })")
        self.assertIn("code: 'E_MINE',\n  detail: { n: 1 }", quoted(call.traceback))
        self.assertEqual(self.run_raised("class MyError extends Error { name = 'MyError' }; throw new MyError('m')").report["ename"], "MyError")

    def test_texts_are_bounded(self) -> None:
        call = self.run_raised("throw new Error('x'.repeat(5e6))")
        self.assertLess(len(call.traceback), 80_000)
        self.assertLess(len(call.report["evalue"]), 10_000)
        call = self.run_raised("let e = new Error('0'); for (let i = 0; i < 5000; i++) e = new Error('n', { cause: e }); throw e")
        self.assertLess(len(call.traceback), 80_000)
        call = self.run_raised("throw new Error(Array(1e5).fill('line').join('\\n'))")
        self.assertLess(len(call.traceback), 80_000)

    def test_an_error_that_has_much_shows_the_top_of_it(self) -> None:
        much = "Array.from({ length: 300 }, (_, at) => ({ at, more: { at } }))"
        code = f"throw Object.assign(new Error('m', {{ cause: Object.assign(new TypeError('c'), {{ errno: 7, inner: {much} }}) }}), {{ code: 'E_MINE', status: 404, config: {much} }})"
        call = self.run_raised(code)
        shown = "Error: m\n    at cell-1.js:1:21 {\n  code: 'E_MINE',\n  status: 404,\n  config: [Array],\n  [cause]: TypeError: c\n      at cell-1.js:1:59 {\n    errno: 7,\n    inner: [Array]\n  }\n}"
        self.assertEqual(quoted(call.traceback).split("\n\n", 1)[1], shown)
        call = self.run_raised("throw new AggregateError(Array.from({ length: 60 }, (_, at) => new Error(`number ${at}`)), 'all')")
        self.assertIn("Error: number 4\n", call.traceback)
        self.assertIn("... 55 more", call.traceback)
        self.assertLess(call.traceback.count("\n"), 40)
        call = self.run_raised(f"throw {{ status: 400, data: {much} }}")
        self.assertLess(call.traceback.count("\n"), 50)
        call = self.run_raised("throw new Error(Array.from({ length: 500 }, (_, at) => `line ${at}`).join('\\n'))")
        self.assertIn("line 0\n", call.traceback)
        self.assertIn("lines are left out", call.traceback)
        self.assertTrue(call.traceback.endswith("line 499\n    at cell-4.js:1:7"), call.traceback[-200:])

    def test_an_error_as_a_value_has_the_callers_frames(self) -> None:
        self.assertEqual(self.value("function f() { return new Error('as a value') }\nf()"), "Error: as a value\n    at f (cell-1.js:1:23)\n    at cell-1.js:2:1")
        value = self.value("const e = new Error('x'); ({ e, list: [e], n: 1 })")
        self.assertEqual(value, "{\n  e: Error: x\n      at cell-2.js:1:11,\n  list: [\n    Error: x\n        at cell-2.js:1:11\n  ],\n  n: 1\n}")
        self.assertNotIn("cellblock_kernel", self.value("new Error('o', { cause: Object.assign(new Error('i'), { code: 5 }) })"))

    def test_the_place_is_the_callers_where_a_module_throws_anothers_error(self) -> None:
        work = self.kernel.work
        (work / "makes.cjs").write_text("exports.make = () => new Error('made')\nexports.parse = () => JSON.parse('{')\n")
        (work / "throws.cjs").write_text("\n" * 104 + "exports.fail = async (make) => { try { throw make() } catch (error) { throw error } }\n")
        for make in ["make", "parse"]:
            call = self.run_raised(f"const {{ {make} }} = require('./makes.cjs'), {{ fail }} = require('./throws.cjs')\n\nawait fail({make})")
            name = f"cell-{call.report['execution_count']}.js"
            self.assertTrue(call.traceback.startswith(f"{name}:3\nawait fail({make})\n      ^\n"), call.traceback)

    def test_deep_recursion(self) -> None:
        call = self.run_raised("function f() { return f() + 1 }\nf()", "RangeError")
        self.assertIn("at f (cell-1.js:1:", call.traceback)
        # Deno's V8 needs no stack to write nested objects as JSON.
        deep = "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a.flat(Infinity)"
        self.run_raised(f"function g() {{ try {{ g() }} finally {{ g() }} }}\n{deep}", "RangeError")
        self.assert_alive()

    def test_callbacks_and_rejections_of_the_call(self) -> None:
        call = self.run_raised("setTimeout(() => { throw new Error('timer') }, 5); await new Promise(r => setTimeout(r, 3000)); 1")
        self.assertEqual(call.report["evalue"], "timer")
        self.assertLess(call.report["seconds"], 2)
        call = self.run_raised("Promise.reject(new Error('nobody')); 5")
        self.assertEqual((call.report["evalue"], call.value), ("nobody", "5"))
        self.assertTrue(call.traceback.startswith("cell-2.js:1\n"), call.traceback)
        self.assertTrue(call.traceback.endswith(f"\n\n{UNHANDLED}"), call.traceback)
        call = self.run_raised("(async () => { await 1; throw new Error('early') })(); await new Promise(r => setTimeout(r, 50)); 5")
        self.assertEqual((call.report["evalue"], call.result), ("early", None))
        self.assertNotIn(UNHANDLED, self.run_raised("(async () => { throw new Error('awaited') })()").traceback)
        self.assertNotIn(UNHANDLED, self.run_raised("setImmediate(() => { throw new Error('thrown') }); 1").traceback)
        self.assertEqual(self.run_raised("process.nextTick(() => { throw new Error('tick') }); 1").report["evalue"], "tick")
        name = "string" if RUNTIME == "deno" else "UnhandledPromiseRejection"
        self.assertEqual(self.run_raised("Promise.reject('no error'); 5", name).traceback.count("{"), 0 if RUNTIME == "deno" else 1)
        self.assertEqual(self.value("const p = Promise.reject(1); p.catch(() => {}); 6"), "6")

    def test_handlers_of_the_users_own(self) -> None:
        call = self.run_ok(
            "process.on('uncaughtException', e => console.log('caught', e.message));"
            "process.on('unhandledRejection', e => console.log('handled', e.message));"
            "setImmediate(() => { throw new Error('a') }); Promise.reject(new Error('b')); await new Promise(r => setTimeout(r, 20)); 1"
        )
        self.assertEqual(call.value, "1")
        self.assertIn("caught a\n", call.stdout)
        self.assertIn("handled b\n", call.stdout)

    def test_printed_stacks_end_where_the_code_does(self) -> None:
        call = self.run_ok("console.log(new Error('shown')); console.error(new Error('e').stack); 0")
        self.assertEqual(call.stdout, "Error: shown\n    at cell-1.js:1:13\n")
        self.assertEqual(call.stderr, "Error: e\n    at cell-1.js:1:48\n")

    def test_a_full_disk_has_a_code(self) -> None:
        call = self.run_raised("throw Object.assign(new Error('write'), { code: 'ENOSPC', syscall: 'write' })")
        self.assertEqual(call.report["errno"], "ENOSPC")
        call = self.run_raised("throw new Error('m', { cause: Object.assign(new Error(), { code: 'EDQUOT' }) })")
        self.assertEqual(call.report["errno"], "EDQUOT")
        self.assertIsNone(self.run_raised("require('fs').readFileSync('/none')").report["errno"])
