"""Interrupts: whatever the code does, the call ends, and what it made stays."""

import time

from harness import KernelCase, only_node

CASES = {
    "a loop": "for (;;) ;",
    "a loop after an await": "await 1; for (;;) ;",
    "a loop of microtasks": "await (async () => { for (;;) await 1 })()",
    "a loop in a timer": "setTimeout(() => { console.log('BEGUN'); for (;;) ; }, 1); await new Promise(() => {})",
    "a loop of timers": "await new Promise(() => { (function again() { setImmediate(again) })() })",
    "waiting for what never comes": "await new Promise(() => {})",
    "a value that never comes": "new Promise(() => {})",
    "sleeping": "await new Promise(r => setTimeout(r, 1e8))",
    "a thread's wait": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "a regular expression": "/(a+)+$/.test('a'.repeat(50) + 'b')",
    "printing": "for (;;) console.log('more')",
    "printing much": "for (;;) process.stdout.write('x'.repeat(1e5))",
    "catching everything": "for (;;) { try { for (;;) ; } catch {} finally { for (;;) ; } }",
    "asking the system": "for (;;) require('fs').statSync('/')",
    "a module's loop": "await import('data:text/javascript,for(;;);')",
    "a loop in nextTick": "process.nextTick(() => { console.log('BEGUN'); for (;;) ; }); await new Promise(() => {})",
    "a loop of nextTick": "(function again() { process.nextTick(again) })(); console.log('BEGUN'); await new Promise(() => {})",
    "a loop in a stream's listener": (
        "require('stream').Readable.from([1]).on('data', () => { console.log('BEGUN'); for (;;) ; }); await new Promise(() => {})"
    ),
    "a loop in a callback of Node's": (
        "require('crypto').randomBytes(8, () => { console.log('BEGUN'); for (;;) ; }); await new Promise(() => {})"
    ),
}

LOOP = "console.log('BEGUN'); for (;;) ;"
FORMS = "[Symbol.for('Jupyter.display')]"
#: Code of the user's that runs when its own has ended, to show its value or its error.
DESCRIPTIONS = {
    "a value's text": f"({{ [Symbol.for('nodejs.util.inspect.custom')]() {{ {LOOP} }}, [Symbol.for('Deno.customInspect')]() {{ {LOOP} }} }})",
    "a value's forms": f"({{ {FORMS}() {{ {LOOP} }} }})",
    "a form's text": f"({{ {FORMS}: () => ({{ 'text/html': {{ toString() {{ {LOOP} }} }} }}) }})",
    "a form that is got": f"({{ {FORMS}: () => ({{ get 'text/html'() {{ {LOOP} }} }}) }})",
    "a form as JSON": f"({{ {FORMS}: () => ({{ 'application/json': {{ toJSON() {{ {LOOP} }} }} }}) }})",
    "a form's bytes": f"({{ {FORMS}: () => ({{ 'image/png': new (class extends Uint8Array {{ get buffer() {{ {LOOP} }} }})(3) }}) }})",
    "a stack": f"Error.prepareStackTrace = () => {{ delete Error.prepareStackTrace; {LOOP} }}; throw new Error('x')",
    "an error's stack": f"throw Object.defineProperty(new Error('x'), 'stack', {{ get() {{ {LOOP} }} }})",
    "an error's message": f"throw Object.defineProperty(new Error('x'), 'message', {{ get() {{ {LOOP} }} }})",
    "an error's name": f"throw Object.defineProperty(new Error('x'), 'name', {{ get() {{ {LOOP} }} }})",
    "a syntax error's message": f"throw Object.defineProperty(new SyntaxError('x'), 'message', {{ get() {{ {LOOP} }} }})",
    "an object that is thrown": f"throw {{ get stack() {{ {LOOP} }}, get message() {{ {LOOP} }} }}",
    "a rejection nobody handles": f"Promise.reject(Object.defineProperty(new Error('x'), 'stack', {{ get() {{ {LOOP} }} }})); 1",
    "a handler at exit": f"process.once('exit', () => {{ {LOOP} }}); process.exit(0)",
}


class Interrupts(KernelCase):
    def test_whatever_the_code_does(self) -> None:
        for name, code in CASES.items():
            with self.subTest(name):
                marker = "BEGUN" if "BEGUN" in code else "READY"
                code = f"var kept = (globalThis.kept || 0) + 1; console.log('READY'); {code}"
                call = self.kernel.interrupted(code, marker)
                self.assertEqual((call.status, call.report["ename"]), ("raised", "Interrupted"))
                self.assertTrue(call.report["interrupted"])
                self.assertEqual(self.value("kept", silent=False), str(list(CASES).index(name) + 1))

    def test_whatever_describes_a_value_or_an_error(self) -> None:
        self.run_ok("var kept = 1; 0")
        for name, code in DESCRIPTIONS.items():
            with self.subTest(name):
                call = self.kernel.interrupted(code, "BEGUN")
                self.assertEqual((call.status, call.report["ename"]), ("raised", "Interrupted"))
                self.assertTrue(call.report["interrupted"])
                self.assertIsNone(call.result)
                self.assertEqual(self.value("kept"), "1")

    def test_an_immediate_among_others(self) -> None:
        loop = f"setImmediate(() => {{ {LOOP} }})"
        rest = "setImmediate(() => console.log('rest'))"
        for code in (f"{rest}; {loop}", f"{loop}; {rest}"):
            with self.subTest(code):
                call = self.kernel.interrupted(f"{code}; await new Promise(() => {{}})", "BEGUN")
                self.assertTrue(call.report["interrupted"])
                after = self.run_ok("await new Promise(r => setImmediate(r)); const { user, system } = process.cpuUsage(); user + system")
                # What stood behind it comes to its turn, and the event loop rests.
                self.assertIn("rest", call.everything + after.everything)
                time.sleep(0.3)
                used = self.run_ok(f"const now = process.cpuUsage(); (now.user + now.system - {after.value}) / 1e6")
                self.assertLess(float(used.value or "inf"), 0.2)

    @only_node
    def test_immediates_come_in_order(self) -> None:
        code = (
            "setImmediate(function (a, b) { Promise.resolve().then(() => console.log('promise')); process.nextTick(() => console.log('tick'));"
            "console.log(a, b) }, 1, 2); setImmediate(() => console.log('second')); clearImmediate(setImmediate(() => console.log('no')));"
            "console.log(await require('util').promisify(setImmediate)('value')); (await import('node:timers')).setImmediate === setImmediate"
        )
        call = self.run_ok(code)
        self.assertEqual((call.stdout, call.value), ("1 2\ntick\npromise\nsecond\nvalue\n", "true"))

    def test_the_first_call_of_all(self) -> None:
        call = self.kernel.interrupted("console.log('READY'); for (;;) ;")
        self.assertTrue(call.report["interrupted"])
        self.assert_alive()

    def test_very_often(self) -> None:
        codes = list(CASES.values())[:5] + list(CASES.values())[10:12]
        for turn in range(60):
            code = codes[turn % len(codes)]
            call = self.kernel.interrupted(f"console.log('READY'); {code}", "BEGUN" if "BEGUN" in code else "READY")
            self.assertTrue(call.report["interrupted"], code)
        # Frames are whole, streams and timers work.
        call = self.run_ok("await new Promise(r => setTimeout(r, 1)); console.log('after'); process.stderr.write('err'); 5")
        self.assertEqual((call.stdout[-6:], call.stderr, call.value), ("after\n", "err", "5"))

    def test_within_functions_of_the_runtime(self) -> None:
        # They may take a termination for a failure of their own, and the code goes on.
        for _ in range(25):
            call = self.kernel.interrupted("console.log('READY'); for (;;) require('fs').statSync('/')")
            self.assertTrue(call.report["interrupted"])
            self.assert_alive()

    def test_a_listener_of_rejections(self) -> None:
        call = self.kernel.interrupted(
            "process.once('unhandledRejection', () => { console.log('BEGUN'); for (;;) ; });"
            "Promise.reject(5); await new Promise(() => {})",
            "BEGUN",
        )
        self.assertTrue(call.report["interrupted"])
        self.run_ok("process.removeAllListeners('unhandledRejection'); 0")
        self.assert_alive()

    def test_what_never_settles_may_be_collected(self) -> None:
        self.run_ok("require('v8').setFlagsFromString('--expose-gc'); var collect = require('vm').runInNewContext('gc'); 0")
        self.kernel.interrupted("console.log('READY'); await new Promise(() => {})")
        self.kernel.interrupted("console.log('READY'); await 1; for (;;) ;")
        self.run_ok("collect(); collect(); await new Promise(r => setTimeout(r, 10)); collect(); 0")
        self.assert_alive()

    def test_an_interrupt_of_another_call_is_none(self) -> None:
        call = self.kernel.send("console.log('READY'); await new Promise(r => setTimeout(r, 100)); 5")
        result = self.kernel.collect(call, until="READY")
        self.kernel.interrupt(b"another call 123")
        result = self.kernel.collect(call, result=result)
        self.assertEqual((result.status, result.value), ("ok", "5"))

    def test_an_interrupt_that_comes_too_late_hits_nothing(self) -> None:
        for _ in range(20):
            call = self.kernel.send("1")
            self.kernel.interrupt(call)
            self.kernel.collect(call)
        self.assertEqual(self.value("let n = 0; for (let i = 0; i < 1e7; i++) n += i; n"), "49999995000000")

    def test_handlers_of_the_users_run_too(self) -> None:
        self.run_ok("process.on('SIGINT', () => console.log('heard')); 0")
        call = self.kernel.interrupted("console.log('READY'); await new Promise(() => {})")
        self.assertTrue(call.report["interrupted"])
        self.assertIn("heard", call.everything)
        call = self.kernel.interrupted("console.log('READY'); for (;;) ;")
        self.assertTrue(call.report["interrupted"])
        self.assertIn("heard", call.everything)
        self.run_ok("process.removeAllListeners('SIGINT'); 0")
        self.assertTrue(self.kernel.interrupted("console.log('READY'); for (;;) ;").report["interrupted"])
        self.run_ok("process.removeAllListeners(); 0")
        self.assertTrue(self.kernel.interrupted("console.log('READY'); for (;;) ;").report["interrupted"])
        self.assert_alive()

    def test_what_goes_on_after_an_interrupt_is_late(self) -> None:
        call = self.kernel.interrupted("console.log('READY'); await new Promise(r => { globalThis.go = r }); console.log('went on')")
        self.assertTrue(call.report["interrupted"])
        call = self.run_ok("go(); await new Promise(r => setTimeout(r, 10)); 0")
        self.assertEqual((call.stdout, call.late_stdout), ("", "went on\n"))

    def test_a_whole_program(self) -> None:
        call = self.kernel.interrupted("console.log('READY'); setInterval(() => {}, 1000)", final=True, filename="/p.js")
        self.assertTrue(call.report["interrupted"])
        self.assertEqual(call.report["exit_status"], 130)
        self.assertEqual(self.kernel.process.wait(20), 130)

    def test_a_call_that_was_cancelled_before_it_could_begin_does_not(self) -> None:
        # It begins when the call has ended, however slow the machine is.
        loop = "if (require('fs').existsSync('go')) { clearInterval(waits); console.log('LOOPS'); for (;;); }"
        self.run_ok(f"var kept = 1, waits = setInterval(() => {{ {loop} }}, 1); 0")
        (self.kernel.work / "go").touch()
        self.kernel.late("LOOPS")
        call = self.kernel.send("console.log('ran'); kept = 2")
        self.kernel.interrupt(call)
        ended = self.kernel.collect(call)
        self.assertTrue(ended.report["interrupted"])
        self.assertNotIn("ran", ended.everything)
        after = self.run_ok("kept")
        self.assertEqual((after.value, after.everything), ("1", ""))
