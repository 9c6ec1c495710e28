"""Output: order, immediacy, sizes, and the streams as programs know them."""

import re

from harness import LATE, RUNTIME, KernelCase, only_node, quoted


class Streams(KernelCase):
    def test_the_order_between_both_is_that_of_writing(self) -> None:
        call = self.run_ok("for (let i = 0; i < 50; i++) { console.log(i); console.error('e', i); process.stdout.write('.') } 0")
        said = [(kind, data.decode()) for kind, data in call.frames if kind != "result"]
        expected = [[("stdout", f"{i}\n"), ("stderr", f"e {i}\n"), ("stdout", ".")] for i in range(50)]
        self.assertEqual(said, [each for three in expected for each in three])

    def test_text_goes_out_while_the_code_runs(self) -> None:
        call = self.kernel.send("console.log('FIRST'); for (;;) ;")
        seen = self.kernel.collect(call, until="FIRST")
        self.assertFalse(seen.report)
        self.kernel.interrupt(call)
        self.assertTrue(self.kernel.collect(call, result=seen).report["interrupted"])

    def test_console(self) -> None:
        call = self.run_ok(
            """
            console.log('%s is %d', 'x', 5, { a: [] }); console.info('i'); console.debug('d');
            console.warn('w'); console.group('g'); console.log('inside'); console.groupEnd();
            console.table([{ a: 1, b: 'x' }]); console.dir({ deep: { er: { still: { more: 1 } } } }, { depth: 0 });
            console.assert(false, 'not so'); console.count(); console.count();
            """
        )
        self.assertIn("x is 5 { a: [] }\ni\nd\ng\n  inside\n", call.stdout)
        self.assertIn('│     0 │ 1 │ "x" │' if RUNTIME == "deno" else "│ 0       │ 1 │ 'x' │", call.stdout)
        self.assertIn("{ deep: [Object] }\n", call.stdout)
        self.assertIn("default: 1\ndefault: 2\n", call.stdout)
        self.assertEqual(call.stderr, "w\nAssertion failed: not so\n")

    @only_node
    def test_console_follows_a_stream_that_was_replaced(self) -> None:
        call = self.run_ok(
            """
            const caught = []; const write = process.stdout.write;
            process.stdout.write = (text) => { caught.push(text); return true };
            console.log('kept'); process.stdout.write = write; console.log(caught)
            """
        )
        self.assertEqual(call.stdout, "[ 'kept\\n' ]\n")

    def test_a_stream_as_programs_know_it(self) -> None:
        self.assertEqual(
            self.value("[process.stdout.isTTY, process.stdout.columns, process.stdout.fd, process.stderr.fd]"),
            "[ false, undefined, 1, 2 ]",
        )
        self.assertEqual(self.value("process.stdout instanceof require('stream').Writable"), "true")
        call = self.run_ok("await new Promise(r => process.stdout.write('a', r)); await new Promise(r => process.stdout.write('62', 'hex', r)); 1")
        self.assertEqual((call.stdout, call.value), ("ab", "1"))
        call = self.run_ok("await new Promise(r => { process.stdout.on('finish', r); process.stdout.end('last') }); console.log('more')")
        self.assertEqual(call.stdout, "lastmore\n")
        call = self.run_ok(
            "const { pipeline } = require('stream/promises'); const { Readable } = require('stream');"
            "await pipeline(Readable.from(['x', 'y']), process.stdout); Readable.from(['z']).pipe(process.stderr); await 1"
        )
        self.assertEqual(call.stdout, "xy")
        self.assertEqual(self.run_ok("process.stdout.write(new Uint8Array([104, 105]))").stdout, "hi")
        self.run_raised("process.stdout.write(5)", "TypeError")
        self.assert_alive()

    def test_much_text_arrives_whole_in_bounded_frames_and_little_memory(self) -> None:
        self.run_ok("const text = 'ab€😀'.repeat(4e6); globalThis.before = process.memoryUsage.rss(); 0")
        call = self.run_ok("process.stdout.write(text); process.memoryUsage.rss() - before")
        self.assertEqual(call.stdout, "ab€😀" * 4_000_000)
        self.assertLess(max(len(data) for _, data in call.frames), 4 << 20)
        for kind, data in call.frames:
            if kind == "stdout":
                data.decode()
        self.assertLess(int(call.value or "0"), 60 << 20)
        many = self.run_ok("process.stdout.write(Buffer.alloc(5e6, 120)); for (let i = 0; i < 20000; i++) console.log(i)")
        self.assertEqual(many.stdout, "x" * 5_000_000 + "".join(f"{i}\n" for i in range(20000)))

    def test_many_lines_take_no_memory_until_the_code_ends(self) -> None:
        code = "const used = () => process.memoryUsage().heapUsed; const before = used(); for (let i = 0; i < 3e5; i++) console.log(''); (used() - before) / 2 ** 20"
        self.assertLess(float(self.value(code) or "inf"), 30)

    def test_children_and_raw_descriptors(self) -> None:
        call = self.run_ok("require('child_process').execSync('echo child; echo oops >&2', { stdio: 'inherit' }); 1")
        self.assertEqual((call.raw[1], call.raw[2]), (b"child\n", b"oops\n"))
        self.assertEqual(self.run_ok("require('fs').writeSync(1, 'raw'); 1").raw[1], b"raw")

    def test_workers(self) -> None:
        call = self.run_ok(
            """
            const { Worker } = require('worker_threads');
            const w = new Worker("console.log('from a worker'); require('worker_threads').parentPort.postMessage(5)", { eval: true });
            const got = await new Promise(r => w.once('message', r)); await new Promise(r => w.once('exit', r)); got
            """
        )
        self.assertEqual(call.value, "5")
        self.assertIn("from a worker", call.everything)

    def test_stdin_is_empty(self) -> None:
        self.assertEqual(self.value("let got = ''; for await (const part of process.stdin) got += part; got"), "''")

    def test_the_order_of_what_waits(self) -> None:
        call = self.run_ok(
            "setTimeout(() => console.log('timer'), 0); process.nextTick(() => console.log('tick'));"
            "console.log('now'); await new Promise(r => setTimeout(r, 50)); 0"
        )
        self.assertEqual(call.stdout, "now\ntick\ntimer\n")

    def test_the_order_of_ticks(self) -> None:
        call = self.run_ok(
            "const say = (text) => () => console.log(text);"
            "process.nextTick(() => { say('first')(); process.nextTick(say('third')); Promise.resolve().then(say('microtask')) });"
            "process.nextTick(say('second')); await new Promise(r => setTimeout(r, 50)); 0"
        )
        self.assertEqual(call.stdout, "first\nsecond\nthird\nmicrotask\n")


class Late(KernelCase):
    def test_what_an_earlier_call_left_behind_speaks_late(self) -> None:
        self.run_ok("let n = 0; setTimeout(() => { console.log('late one'); n = 7 }, 30); 0")
        late = self.kernel.late("late one")
        self.assertEqual(late.late_stdout, "late one\n")
        self.assertEqual(self.value("n"), "7")

    def test_during_a_call_of_another(self) -> None:
        self.run_ok("globalThis.go = null; (async () => { await new Promise(r => { go = r }); console.log('old') })(); 0")
        call = self.run_ok("console.log('new'); go(); await new Promise(r => setTimeout(r, 20)); console.log('newer')")
        self.assertEqual((call.stdout, call.late_stdout), ("new\nnewer\n", "old\n"))

    def test_a_listener_belongs_to_the_call_that_made_it_run(self) -> None:
        self.run_ok("const ee = new (require('events'))(); ee.on('x', () => console.log('heard')); 0")
        self.assertEqual(self.run_ok("ee.emit('x')").stdout, "heard\n")

    def test_errors_of_leftovers_name_their_call_and_end_nothing(self) -> None:
        self.run_ok("setTimeout(() => { null.x }, 20); setTimeout(() => Promise.reject(new Error('lost')), 30); 0")
        late = self.kernel.late("lost")
        self.assertIn("an earlier call (1)", late.late_stderr)
        late = self.kernel.collect(LATE, until="Nobody handled", result=late)
        self.assertRegex(late.late_stderr, re.compile(r"cell-1\.js:1\n.*TypeError: Cannot read properties of null", re.S))
        self.assert_alive()

    def test_a_server_lives_on(self) -> None:
        self.run_ok(
            "const http = require('http'); const server = http.createServer((q, r) => { console.log('asked'); r.end('pong') });"
            "await new Promise(r => server.listen(0, '127.0.0.1', r)); 0"
        )
        call = self.run_ok("const answer = await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text(); answer")
        self.assertEqual(quoted(call.value or ""), "'pong'")
        # What the server says is of the call that made it.
        self.assertEqual((call.stdout, call.late_stdout), ("", "asked\n"))
        self.run_ok("server.close(); 0")
