"""The end of the interpreter: exit, whole programs, handlers at exit."""

from harness import Call, KernelCase


class Ending(KernelCase):
    def ends(self, code: str, status: int, **options: object) -> Call:
        call = self.kernel.run(code, **options)
        self.assertEqual(call.report["exit_status"], status, call.report)
        self.assertEqual(self.kernel.process.wait(20), status)
        return call

    def test_exit(self) -> None:
        call = self.ends("process.on('exit', c => console.log('bye', c)); console.log('a'); process.exit(3); console.log('no')", 3)
        self.assertEqual((call.status, call.stdout), ("exited", "a\nbye 3\n"))

    def test_exit_without_a_number(self) -> None:
        self.assertEqual(self.ends("process.exitCode = 4; process.exit()", 4).status, "exited")

    def test_exit_in_a_callback(self) -> None:
        self.assertEqual(self.ends("setTimeout(() => process.exit(5), 5); await new Promise(() => {})", 5).status, "exited")

    def test_exit_of_a_leftover_between_calls(self) -> None:
        self.kernel.run("setTimeout(() => process.exit(6), 20); 0")
        self.assertEqual(self.kernel.process.wait(20), 6)

    def test_a_programs_event_loop_runs_empty(self) -> None:
        call = self.ends(
            "const http = require('http'); const s = http.createServer(() => {}); s.listen(0, () => setTimeout(() => s.close(), 20));"
            "process.on('beforeExit', () => { if (!globalThis.once) { once = 1; setTimeout(() => console.log('second'), 5) } });"
            "setTimeout(() => { console.log('timer'); process.on('exit', c => console.log('exit', c)) }, 10); 'no value'",
            0,
            final=True,
            filename="/p.js",
        )
        self.assertEqual((call.status, call.result), ("ok", None))
        self.assertEqual(call.stdout, "timer\nsecond\nexit 0\n")

    def test_a_program_that_chooses_its_code(self) -> None:
        self.ends("process.exitCode = 7", 7, final=True)

    def test_a_program_that_exits(self) -> None:
        self.assertEqual(self.ends("setTimeout(() => {}, 1e8); process.exit(2)", 2, final=True).status, "exited")

    def test_a_program_that_fails(self) -> None:
        call = self.ends("process.on('exit', c => console.log('exit', c)); null.x", 1, final=True, filename="/p.js")
        self.assertEqual((call.status, call.report["ename"], call.stdout), ("raised", "TypeError", "exit 1\n"))

    def test_a_program_that_fails_later(self) -> None:
        call = self.ends("setTimeout(() => { throw new RangeError('later') }, 10); setInterval(() => {}, 5)", 1, final=True)
        self.assertEqual((call.status, call.report["evalue"]), ("raised", "later"))

    def test_a_program_that_does_not_parse(self) -> None:
        call = self.ends("const = ", 1, final=True, filename="/dir/p.js")
        self.assertTrue(call.traceback.startswith("/dir/p.js:1\n"), call.traceback)

    def test_a_rejection_nobody_handles(self) -> None:
        call = self.ends("(async () => { throw new Error('async') })(); setTimeout(() => console.log('no'), 50)", 1, final=True)
        self.assertEqual((call.status, call.report["evalue"], call.stdout), ("raised", "async", ""))

    def test_a_program_that_waits_for_what_never_comes(self) -> None:
        call = self.ends("console.log('a'); await new Promise(() => {})", 13, final=True)
        self.assertEqual(call.stdout, "a\n")
        self.assertIn("never", call.stderr)

    def test_a_program_with_imports_and_arguments(self) -> None:
        code = "import { basename } from 'node:path';\nimport { pathToFileURL } from 'url';\nconsole.log(basename(process.argv[1]), process.argv[2], require.main === module, import.meta.url === pathToFileURL(process.argv[1]).href)"
        call = self.ends(code, 0, final=True, filename="/dir/p.js", argv=["/dir/p.js", "-v"])
        self.assertEqual(call.stdout, "p.js -v true true\n")

    def test_a_handler_at_exit_that_fails(self) -> None:
        call = self.kernel.run("process.on('exit', () => { throw new Error('at exit') }); 1", final=True)
        self.assertIn("at exit", call.traceback + call.stderr)
        self.assertNotEqual(self.kernel.process.wait(20), 0)

    def test_much_output_at_the_end_is_whole(self) -> None:
        call = self.ends("process.on('exit', () => console.log('y'.repeat(1e6))); process.stdout.write('x'.repeat(3e6)); process.exit(0)", 0)
        self.assertEqual(len(call.stdout), 4_000_001)

    def test_workers_do_not_keep_it(self) -> None:
        self.ends("new (require('worker_threads').Worker)('setInterval(() => {}, 10)', { eval: true }).unref(); 1", 0, final=True)
