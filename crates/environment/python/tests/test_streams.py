"""stdout and stderr: streaming, order, speed, and everything programs do to these two objects."""

import time
import unittest

from harness import KernelCase, cell


class Order(KernelCase):
    def test_both_streams_in_one_order(self):
        code = "import sys\nfor n in range(500):\n    print(n)\n    print(n, file=sys.stderr)"
        call = self.run_ok(code)
        merged = b"".join(data for _, data in call.frames).decode().split()
        self.assertEqual(merged, [str(n) for n in range(500) for _ in range(2)])

    def test_partial_lines_keep_their_place(self):
        call = self.run_ok(
            cell(
                """
                import sys
                print('a', end='')
                sys.stderr.write('b')
                print('c', end='')
                display(1)
                print('d')
                """
            )
        )
        self.assertEqual(
            [kind for kind, _ in call.frames], ["stdout", "stderr", "stdout", "display", "stdout"]
        )

    def test_bytes_and_text(self):
        call = self.run_ok(
            cell(
                """
                import sys
                print('a')
                sys.stdout.buffer.write(b'\\xff\\n')
                sys.stdout.buffer.write(memoryview(b'm'))
                print('z');
                """
            )
        )
        self.assertEqual(b"".join(data for _, data in call.frames), b"a\n\xff\nmz\n")


class Streaming(KernelCase):
    def paused(self, code: str) -> str:
        """What has come when the code waits for us."""
        import os

        gate = self.kernel.work / "gate"
        os.mkfifo(gate)
        call = self.kernel.send(f"{code}\nopen('gate').read()")
        result = self.kernel.collect(call, until="now")
        text = result.stdout
        gate.write_text("go")
        self.kernel.collect(call, result=result)
        return text

    def test_a_line_comes_at_once(self):
        self.assertEqual(self.paused("print('now')"), "now\n")

    def test_a_carriage_return_comes_at_once(self):
        self.assertEqual(self.paused("print('now', end='\\r')"), "now\r")

    def test_a_flush_comes_at_once(self):
        self.assertEqual(self.paused("print('now', end='', flush=True)"), "now")

    def test_the_last_line_of_a_flood_comes_soon(self):
        came = self.paused("for n in range(100_000): print(n)\nprint('now')")
        self.assertTrue(came.endswith("99999\nnow\n"), came[-100:])

    def test_native_code_streams(self):
        code = "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.puts(b'line')\nlibc.printf(b'no newline')"
        self.assertEqual(self.run_ok(code).raw[1], b"line\nno newline")
        self.assertEqual(
            self.run_ok("import os; os.write(1, b'raw'); os.write(2, b'err');").raw, {1: b"raw", 2: b"err"}
        )


class Limits(KernelCase):
    def test_a_million_lines(self):
        started = time.monotonic()
        call = self.run_ok("for n in range(1_000_000): print(n)")
        # Against an accident: plain Python takes one to three seconds for it on a busy machine.
        self.assertLess(time.monotonic() - started, 20)
        self.assertEqual(call.stdout, "".join(f"{n}\n" for n in range(1_000_000)))
        self.assertLess(len(call.frames), 50_000)

    def test_large_writes_are_split_between_characters(self):
        call = self.run_ok("print('é€😀x' * 100_000)")
        self.assertEqual(call.stdout, "é€😀x" * 100_000 + "\n")
        for _, data in call.frames:
            self.assertLessEqual(len(data), 64 << 10)
            data.decode()

    def test_binary_rubbish_passes(self):
        call = self.run_ok("import sys\nsys.stdout.buffer.write(b'\\x80' * 200_000);")
        self.assertEqual(b"".join(data for _, data in call.frames), b"\x80" * 200_000)


class Objects(KernelCase):
    def test_attributes(self):
        code = cell(
            """
            import sys
            def told(s): return s.fileno(), s.isatty(), s.encoding, s.errors, s.name, s.writable(), s.mode
            [told(s) for s in (sys.stdout, sys.stderr)]
            """
        )
        self.assertEqual(
            self.run_ok(code).value,
            cell(
                """
                [(1, False, 'utf-8', 'backslashreplace', '<stdout>', True, 'w'),
                 (2, False, 'utf-8', 'backslashreplace', '<stderr>', True, 'w')]
                """
            ),
        )
        self.assertEqual(self.run_ok("sys.stdout is sys.__stdout__").value, "True")

    def test_lone_surrogates(self):
        self.assertEqual(self.run_ok("print('a\\udcff')").stdout, "a\\udcff\n")

    def test_redirections(self):
        code = cell(
            """
            import sys, io, contextlib
            with contextlib.redirect_stdout(io.StringIO()) as out:
                print('caught')
            print(out.getvalue().upper())
            """
        )
        self.assertEqual(self.run_ok(code).stdout, "CAUGHT\n\n")
        self.run_ok("old = sys.stdout\nsys.stdout = open('log.txt', 'w')")
        self.assertEqual(self.run_ok("print('into the file')").stdout, "")
        self.assertEqual((self.kernel.work / "log.txt").read_text(), "into the file\n")
        self.assertEqual(self.run_ok("sys.stdout = sys.__stdout__\nprint('back')").stdout, "back\n")

    def test_programs_that_rewrap_them(self):
        self.run_ok("import sys, io, codecs\nsys.stdout.reconfigure(encoding='utf-8', line_buffering=True)")
        self.assertEqual(self.run_ok("print('é')").stdout, "é\n")
        self.run_ok("sys.stdout = codecs.getwriter('utf-8')(sys.stdout.buffer)")
        self.assertEqual(self.run_ok("print('wrapped')").stdout, "wrapped\n")
        self.run_ok("sys.stdout = io.TextIOWrapper(sys.__stdout__.detach(), encoding='utf-8')")
        self.assertEqual(self.run_ok("print('rewrapped')").stdout, "rewrapped\n")

    def test_closing_them_silences_nothing(self):
        call = self.run_ok("import sys\nsys.stdout.close()\nprint('still here')")
        self.assertEqual(call.stdout, "still here\n")
        self.assertEqual(self.run_ok("print('here too')").stdout, "here too\n")

    def test_a_broken_replacement_is_survived(self):
        self.run_ok("import sys\nsys.stdout = None")
        self.run_ok("1")
        self.run_ok("sys.stdout = 5")
        self.run_ok("sys.stdout = sys.__stdout__")
        self.assert_alive()

    def test_logging(self):
        code = cell(
            """
            import logging
            logging.basicConfig(level='INFO')
            logging.info('told')
            logging.getLogger('x').warning('warned')
            """
        )
        self.assertEqual(self.run_ok(code).stderr, "INFO:root:told\nWARNING:x:warned\n")
        self.assertEqual(self.run_ok("logging.error('later')").stderr, "ERROR:root:later\n")

    def test_wrong_types_are_refused(self):
        self.run_raised("import sys\nsys.stdout.write(b'x')", "TypeError")
        self.run_raised("sys.stdout.buffer.write('x')", "TypeError")


class Threads(KernelCase):
    def test_many_writers(self):
        code = cell(
            """
            import threading, sys
            def write(name):
                for n in range(2000): sys.stdout.write(f'{name}{n}\\n')
            threads = [threading.Thread(target=write, args=(c,)) for c in 'abcd']
            [t.start() for t in threads]; [t.join() for t in threads];
            """
        )
        lines = self.run_ok(code).stdout.split()
        self.assertEqual(sorted(lines), sorted(f"{c}{n}" for c in "abcd" for n in range(2000)))

    def test_what_a_thread_writes_between_calls_comes_with_the_next(self):
        self.run_ok(
            cell(
                """
                import threading, os
                os.mkfifo('gate')
                def work():
                    open('gate').read()
                    print('between')
                    os.rename('gate', 'done')
                thread = threading.Thread(target=work, daemon=True)
                thread.start()
                """
            )
        )
        (self.kernel.work / "gate").write_text("go")
        while not (self.kernel.work / "done").exists():
            time.sleep(0.005)
        call = self.run_ok("thread.join()\nprint('now')")
        self.assertEqual(call.stdout, "between\nnow\n")

    def test_a_flood_between_calls_is_bounded(self):
        self.run_ok(
            cell(
                """
                import threading, os
                os.mkfifo('gate')
                def work():
                    open('gate').read()
                    for n in range(100): print('x' * 100_000)
                    os.rename('gate', 'done')
                threading.Thread(target=work, daemon=True).start()
                """
            )
        )
        (self.kernel.work / "gate").write_text("go")
        while not (self.kernel.work / "done").exists():
            time.sleep(0.005)
        self.assertLess(len(self.run_ok("print('now')").stdout), 500_000)

    def test_no_thread_stays(self):
        self.run_ok("for n in range(10_000): print(n)")
        code = cell(
            """
            import os, time
            end = time.monotonic() + 10
            while len(os.listdir('/proc/self/task')) > 1 and time.monotonic() < end: time.sleep(0.01)
            len(os.listdir('/proc/self/task'))
            """
        )
        self.assertEqual(self.run_ok(code).value, "1")

    def test_printing_in_destructors_and_handlers(self):
        code = cell(
            """
            import signal, gc
            class D:
                def __del__(self): print('gone')
            signal.signal(signal.SIGALRM, lambda *a: print('tick'))
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            for n in range(3000):
                d = D(); d.me = d; del d
                print(n)
            signal.setitimer(signal.ITIMER_REAL, 0)
            gc.collect();
            """
        )
        # They may come between a line and its end, as in any program; nothing may be lost.
        text = self.run_ok(code).stdout
        self.assertIn("tick\n", text)
        self.assertEqual(text.count("gone"), 3000)
        rest = text.replace("tick", "").replace("gone", "")
        self.assertEqual(rest.split(), [str(n) for n in range(3000)])

    def test_handlers_that_raise_break_no_frame(self):
        # A time-out by SIGALRM meets writes of every size at every place; the harness checks each frame.
        code = cell(
            """
            import signal, sys
            class Late(TimeoutError): pass
            def late(*a): raise Late
            signal.signal(signal.SIGALRM, late)
            hits = 0
            for n in range(300):
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.0005 + n * 1e-6)
                    while True:
                        print(n); sys.stderr.write('e\\n'); sys.stdout.write('y' * 70000)
                except Late:
                    hits += 1
            print(); hits
            """
        )
        call = self.run_ok(code)
        self.assertEqual(call.value, "300")
        self.assert_alive()

    def test_a_handler_that_raises_between_calls(self):
        self.run_ok(
            cell(
                """
                import signal
                def late(*a): raise TimeoutError('late')
                signal.signal(signal.SIGALRM, late)
                """
            )
        )
        self.kernel.run("signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001);")
        for n in range(200):
            call = self.kernel.run(f"x = {n}")
            self.assertIn(call.status, ("ok", "raised"))
        for _ in range(100):
            if self.kernel.run("signal.setitimer(signal.ITIMER_REAL, 0);").status == "ok":
                break
        self.assert_alive()


if __name__ == "__main__":
    unittest.main()
