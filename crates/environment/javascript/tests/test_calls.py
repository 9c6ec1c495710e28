"""Values, scope, and what a report says."""

import unittest
from harness import RUNTIME, Call, Gone, Kernel, KernelCase, cell


class Scope(KernelCase):
    def test_declarations_live_on_and_may_come_again(self) -> None:
        self.run_ok("const a = 1; let b = 2; var c = 3; class D {}; function e() { return 5 }")
        self.assertEqual(self.value("[a, b, c, typeof D, e()]"), "[ 1, 2, 3, 'function', 5 ]")
        self.run_ok("const a = 10; let b = 20; class D { static x = 1 }")
        self.assertEqual(self.value("a + b + D.x"), "31")

    def test_code_of_any_length(self) -> None:
        for length in (4_000, 70_000, 3_000_000):
            with self.subTest(length):
                self.assertEqual(self.value(f"'{'x' * length}'.length"), str(length))
        # Also when an earlier call's leftovers keep the thread from taking it.
        self.kernel.interrupted("console.log('READY'); (async () => { for (;;) await 1 })(); await new Promise(() => {})")
        self.assertEqual(self.value(f"'{'x' * 200_000}'.length"), "200000")

    def test_the_new_form_is_there_before_the_code_and_at_its_place(self) -> None:
        self.run_ok("const f = 1, g = 2")
        call = self.run_raised("f();\n\nfunction f() {\n  g();\n}\n   function g() { throw new Error('here') }")
        self.assertIn("at g (cell-2.js:6:25)\n    at f (cell-2.js:4:3)\n    at cell-2.js:1:1", call.traceback)

    def test_destructuring_replaces_functions(self) -> None:
        self.run_ok("function one() {}; function two() {}")
        self.assertIsNone(self.value("const { one, two = 3 } = { one: 1 }"))
        self.assertEqual(self.value("[one, two]"), "[ 1, 3 ]")

    def test_declared_twice_in_one_text_is_an_error_in_the_languages_words(self) -> None:
        call = self.run_raised("const x = 1;\nconst x = 2;", "SyntaxError")
        self.assertEqual(call.report["evalue"], "Identifier 'x' has already been declared")
        self.assertTrue(call.traceback.startswith("cell-1.js:2\nconst x = 2;\n      ^\n"), call.traceback)

    def test_await_at_the_top(self) -> None:
        self.assertEqual(self.value("const x = await Promise.resolve(4); x * 2"), "8")
        self.assertEqual(self.value("await new Promise(r => setTimeout(() => r('later'), 5))"), "'later'")

    def test_a_promise_as_the_value_is_waited_for(self) -> None:
        self.assertEqual(self.value("const main = async () => { console.log('m'); return 9 }; main()"), "9")
        self.assertEqual(self.run_raised("(async () => { throw new RangeError('no') })()").report["ename"], "RangeError")

    def test_kinds_of_values(self) -> None:
        for code, text in {
            "undefined": None,
            "null": "null",
            "-0": "-0",
            "NaN": "NaN",
            "2n ** 70n": "1180591620717411303424n",
            "Symbol('s')": "Symbol(s)",
            "'it\\'s'": '"it\'s"',
            "({ a: 1, 'b c': [1, , 3] })": "{ a: 1, 'b c': [ 1, <1 empty item>, 3 ] }",
            "{ a: 1 }": "{ a: 1 }",
            "new Map([[{ k: 1 }, new Set([1n])]])": "Map(1) { { k: 1 } => Set(1) { 1n } }",
            "class P { #h = 1; x = 2 }; new P()": "P { x: 2 }",
            "Object.create(null)": "[Object: null prototype] {}",
            "const o = {}; o.self = o; o": "<ref *1> { self: [Circular *1] }",
            "new Date(0)": "1970-01-01T00:00:00.000Z",
            "Buffer.from('hi')": "<Buffer 68 69>",
            "new Float64Array([1.5])": "Float64Array(1) [ 1.5 ]",
            "({ get danger() { throw 1 } })": "{ danger: [Getter] }",
            "new Proxy({ real: 1 }, { get() { throw 1 }, ownKeys() { throw 2 } })": "{ real: 1 }",
            "(() => 1)": "[Function (anonymous)]",
            "[new Error('kept')].length": "1",
        }.items():
            with self.subTest(code=code):
                self.assertEqual(self.value(code), text)

    def test_a_cell_that_is_an_object_is_one(self) -> None:
        self.run_ok("const known = 1")
        for code, text in {
            "{ a: 1, b: [2] }": "{ a: 1, b: [ 2 ] }",
            "{}": "{}",
            "{ known }": "{ known: 1 }",
            "// what it is\n/* ** */ {\n  a: await Promise.resolve(4),\n  f() { return 1 }\n} // so": "{ a: 4, f: [Function: f] }",
            "{ sep: (await import('node:path')).sep }": "{ sep: '/' }",
            # As blocks.
            "{ a: 1 };": "1",
            "{ let x = 3; x + 1 }": "4",
            "{ console.log(known) }\n5": "5",
            "{ known }\n{ known + 1 }": "2",
            "{}) + (1": None,
        }.items():
            with self.subTest(code):
                if text is None:
                    self.run_raised(code, "SyntaxError")
                else:
                    self.assertEqual(self.value(code), text)
        program = self.kernel.run("{ console.log('block'); }", final=True, filename="/dir/p.js")
        self.assertEqual((program.status, program.stdout), ("ok", "block\n"))

    def test_places_in_an_object_are_those_of_the_text(self) -> None:
        call = self.run_raised("{ a: 1, b: (() => { throw new Error('x') })() }")
        self.assertEqual(
            call.traceback,
            "cell-1.js:1\n{ a: 1, b: (() => { throw new Error('x') })() }\n" + 26 * " " + "^\n\n"
            "Error: x\n    at cell-1.js:1:27\n    at cell-1.js:1:44",
        )
        call = self.run_raised("{ a: 1,\n  b: nothing }", "ReferenceError")
        self.assertTrue(call.traceback.endswith("at cell-2.js:2:6"), call.traceback)
        self.assertIn("at cell-3.js:1:18", self.run_ok("{ a: console.log(new Error('x').stack) }").stdout)
        self.assertIn("at cell-4.js:1:6", self.value("{ a: new Error('x') }") or "")

    def test_long_comments_at_the_beginning(self) -> None:
        for comment in ("/" * 400, "/* " + "* /" * 200 + " */", "/**/" * 200):
            self.assertEqual(self.value(f"{comment}\n6 * 7"), "42")
            self.assertEqual(self.value(f"{comment}\n{{ a: 1 }}"), "{ a: 1 }")

    def test_values_are_bounded(self) -> None:
        self.assertIn("... 999900 more items", self.value("new Array(1e6).fill(7)") or "")
        long = self.value("'x'.repeat(3e6)") or ""
        self.assertLess(len(long), 200_000)
        self.assertIn("more characters", long)
        self.assertLess(len(self.value("Array.from({ length: 100 }, () => 'y'.repeat(99999))") or ""), 1_200_000)

    def test_an_object_whose_text_fails_has_another(self) -> None:
        custom = "Symbol.for('nodejs.util.inspect.custom')"
        self.assertIn("mine: 1", self.value(f"({{ mine: 1, [{custom}]() {{ throw new Error('q') }} }})") or "")
        self.assertEqual(self.value(f"({{ [{custom}]() {{ return 'so' }} }})"), "so")
        self.assertTrue(self.value(f"({{ [{custom}]: () => {{ process.stdout.write('') ; return 5 }} }})"))

    def test_semicolons_and_declarations_have_no_value(self) -> None:
        self.assertIsNone(self.value("const x = 5"))
        self.assertEqual(self.value("5;"), "5")
        self.assertEqual(self.value("// only\n5 // this"), "5")
        self.assertIsNone(self.value(""))
        self.assertIsNone(self.value("5", silent=True))

    def test_a_timer_as_the_last_value_is_not_shown(self) -> None:
        for code in ["setTimeout(() => {}, 5)", "let t = setInterval(() => clearInterval(t), 5); t", "setImmediate(() => {})"]:
            with self.subTest(code=code):
                self.assertIsNone(self.value(code))
        late = self.run_ok("setTimeout(() => console.log('rang'), 20)")
        self.assertEqual((late.value, self.run_ok("await new Promise((r) => setTimeout(r, 60))").late_stdout), (None, "rang\n"))
        self.assertIn("_onTimeout", self.value("[setTimeout(() => {}, 5)]") or "")


class Reports(KernelCase):
    def test_numbers_and_what_a_report_holds(self) -> None:
        report = self.run_ok("1").report
        self.assertEqual((report["status"], report["execution_count"], report["interrupted"]), ("ok", 1, False))
        self.assertEqual(report["cwd"], str(self.kernel.work))
        self.assertGreaterEqual(report["seconds"], 0)
        self.assertNotIn("exit_status", report)
        self.assertEqual(self.run_ok("1", store_history=False).report["execution_count"], 1)
        self.assertEqual(self.run_ok("1").report["execution_count"], 2)

    def test_seconds_and_processor_time(self) -> None:
        report = self.run_ok("await new Promise(r => setTimeout(r, 200))").report
        self.assertGreater(report["seconds"], 0.19)
        busy = "const t = process.cpuUsage().user; while (process.cpuUsage().user - t < 150e3);"
        self.assertGreater(self.run_ok(busy).report["cpu_seconds"], 0.14)
        code = "require('child_process').execSync('i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done')"
        self.assertGreater(self.run_ok(code + "; 1").report["cpu_seconds"], 0.05)

    def test_the_directory_is_where_the_call_ended(self) -> None:
        self.assertEqual(self.run_ok("process.chdir('/tmp')").report["cwd"], "/tmp")
        self.assertEqual(self.value("process.cwd()"), "'/tmp'")
        self.assertEqual(self.value("process.cwd()", cwd="/usr"), "'/usr'")
        self.assertEqual(self.run_ok("1", cwd="/does/not/exist").report["cwd"], "/usr")

    def test_a_call_that_is_no_call(self) -> None:
        for at, payload in enumerate((b"{", b"[]", b"null", b'{"code": 5}')):
            name = bytes([120 + at]) * 16
            self.kernel.send_raw(0x60, name, payload)
            call = self.kernel.collect(name)
            self.assertEqual(call.status, "raised", payload)
        self.assert_alive()

    def test_unknown_frames_and_keys_are_passed_over(self) -> None:
        self.kernel.send_raw(0x6F, b"y" * 16, b"?")
        self.assertEqual(self.value("1", colour="blue"), "1")
        self.kernel.send_raw(0x6F, b"y" * 16, b"?")
        self.kernel.send_raw(0x61, b"z" * 16, b"")
        self.assert_alive()

    def test_argv(self) -> None:
        self.assertEqual(self.value("process.argv.slice(1)", argv=["prog.js", "-x"]), "[ 'prog.js', '-x' ]")

    def test_a_global_object_that_takes_nothing_more(self) -> None:
        self.run_ok("var kept = 1; Object.freeze(globalThis); 0")
        self.assertEqual(self.run_raised("f(,1)", "SyntaxError").report["evalue"], "Unexpected token ','")
        self.assertEqual(self.value("[kept]"), "[ 1 ]")

    def test_what_code_breaks_is_its_own(self) -> None:
        self.run_ok(
            """
            JSON.stringify = JSON.parse = () => { throw new Error('broken') };
            for (const name of ['map', 'join', 'forEach', 'shift'])
              Array.prototype[name] = () => { throw new Error('broken') };
            for (const name of ['slice', 'split', 'startsWith', 'replace', 'includes'])
              String.prototype[name] = () => { throw new Error('broken') };
            RegExp.prototype.exec = Map.prototype.get = Map.prototype.set = () => { throw new Error('broken') };
            Promise.prototype.then = () => { throw new Error('broken') };
            Reflect.apply = Object.keys = Object.defineProperty = undefined;
            globalThis.Promise = globalThis.setImmediate = globalThis.Uint8Array = globalThis.Error = null;
            Object.prototype.extra = 'everywhere';
            0
            """
        )
        self.assertEqual(self.value("1 + 1"), "2")
        self.assertEqual(self.run_ok("process.stdout.write('out'); process.stderr.write('é'.repeat(3)); 0").stdout, "out")
        self.assertEqual(self.value("const o = { a: [1] }; o"), "{ a: [ 1 ] }")
        self.assertEqual(self.value("(async () => 5)()"), "5")
        # Deno asks the global `Error` how stacks are written, and it is gone.
        place = "<anonymous>:1" if RUNTIME == "deno" else "cell-6.js:1"
        self.assertIn(place, self.run_raised("null.x", "TypeError").traceback)
        self.assertEqual(self.run_ok("delete globalThis.console; 1").value, "1")
        self.assertEqual(self.run_ok("Object.freeze(Object.prototype); Object.freeze(globalThis.process); 2").value, "2")
        self.assert_alive()


FAILS = "() => { throw new Error('broken') }"
#: What code may change that the kernel does not depend on.
CHANGES = [
    "Object.prototype.toJSON = () => 'J'",
    f"Object.prototype.toJSON = {FAILS}",
    "Object.prototype.then = () => {}",
    "Reflect = Object = Array = Promise = undefined",
    "Map = Set = WeakMap = WeakRef = Symbol = JSON = Math = Number = String = Function = Buffer = URL = Atomics = undefined",
    "Error = TypeError = SyntaxError = RegExp = Uint8Array = Int32Array = setTimeout = setImmediate = queueMicrotask = undefined",
    "Object.defineProperty(Promise, Symbol.species, { get() { throw new Error('broken') } })",
    f"for (const name of ['get', 'set', 'has', 'delete']) Map.prototype[name] = {FAILS}; Set.prototype.add = Set.prototype.delete = {FAILS}",
    f"for (const name of Object.keys(require('fs'))) try {{ require('fs')[name] = {FAILS} }} catch {{}}",
    f"process.cwd = process.cpuUsage = process.hrtime = performance.now = {FAILS}",
    "delete globalThis.process",
    f"require('async_hooks').AsyncLocalStorage.prototype.run = {FAILS}",
    f"require('events').prototype.listenerCount = {FAILS}",
]
#: What nothing runs without.
BREAKS = [
    "Object.defineProperty(Object.prototype, 'error', { get() { return 5 } })",
    "Object.defineProperty(Object.prototype, '0', { set() { throw new Error(\"the setter's\") } })",
    "Object.defineProperty(Array.prototype, '0', { set() { throw new Error(\"the setter's\") } })",
    f"for (const name of ['push', 'pop', 'shift']) Array.prototype[name] = {FAILS}",
    f"process.emit = {FAILS}; process.nextTick = () => {{}}",
]


class Start(unittest.TestCase):
    def test_an_idle_kernel_ends_with_its_socket(self) -> None:
        kernel = Kernel()
        kernel.ours.close()
        kernel.process.wait(20)
        kernel.close()

    def test_a_busy_kernel_ends_with_its_socket(self) -> None:
        kernel = Kernel()
        kernel.collect(kernel.send("console.log('READY'); for (;;);"), until="READY")
        kernel.ours.close()
        kernel.process.wait(20)
        kernel.close()

    def test_children_do_not_have_the_socket(self) -> None:
        with Kernel() as kernel:
            code = "require('child_process').execSync('ls /proc/self/fd', { encoding: 'utf8' }).trim().split(/\\s+/)"
            self.assertNotIn("'3', '4'", kernel.run(cell(code)).value or "")
            link = "require('child_process').execSync('readlink /proc/self/fd/3 || echo none', { encoding: 'utf8' })"
            self.assertNotIn("socket", kernel.run(link).value or "socket")

    def test_what_code_gives_to_all_objects_is_not_taken_for_ours(self) -> None:
        for name in ("complete", "final", "silent", "thrown", "lost", "interrupted", "cwd", "type_errors", "language"):
            with self.subTest(name), Kernel() as kernel:
                kernel.run(f"Object.prototype.{name} = {{}}; 5")
                call = kernel.run("console.log('ran'); 21 * 2")
                self.assertEqual((call.status, call.stdout, call.value), ("ok", "ran\n", "42"), call.report)

    def test_what_the_kernel_does_not_ask_may_be_anything(self) -> None:
        for code in CHANGES:
            with self.subTest(code), Kernel() as kernel:
                self.assertEqual(kernel.run(f"{code}; 0").status, "ok")
                call = kernel.run("console.log('ran'); ({ a: [21 * 2] })")
                self.assertEqual((call.status, call.stdout, call.value), ("ok", "ran\n", "{ a: [ 42 ] }"), call.report)
                call = kernel.run("throw [7][0]")
                self.assertEqual((call.status, call.report["evalue"]), ("raised", "7"))
                self.assertEqual(kernel.run("const late = 5").status, "ok")
                self.assertTrue(kernel.interrupted("console.log('READY'); for (;;) ;").report["interrupted"])
                self.assertEqual(kernel.run("late").value, "5")

    def test_what_breaks_the_runtime_is_told(self) -> None:
        for code in BREAKS:
            with self.subTest(code), Kernel() as kernel:
                said = ""
                try:
                    for each in (f"{code}; 0", "21 * 2", "21 * 2"):
                        call = Call()
                        kernel.collect(kernel.send(each), result=call)
                        said += call.report.get("evalue", "") if call.status == "raised" else f"{call.value} "
                except (Gone, ConnectionError):
                    # The interpreter has ended, and said why.
                    said += call.everything + str(kernel.last_words())
                    self.assertNotEqual(kernel.process.wait(20), 0)
                # A call ends, and either as it should or with what is wrong.
                self.assertTrue("42" in said or "could not run" in said or "breaks" in said or "the setter's" in said, said)

    def test_of_what_fails_later_the_first_is_told(self) -> None:
        with Kernel() as kernel:
            self.assertEqual(kernel.run("for (let i = 0; i < 1e5; i++) Promise.reject(i); 1").status, "raised")
            call = kernel.run("await new Promise(r => setTimeout(r, 1)); 21 * 2")
            self.assertEqual(call.value, "42")
            self.assertLessEqual(call.late_stderr.count("Uncaught"), 40)


if __name__ == "__main__":
    unittest.main()
