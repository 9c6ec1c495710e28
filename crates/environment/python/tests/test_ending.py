"""How a kernel ends, and what it does before."""

import unittest

from harness import Call, Gone, KernelCase, cell


class Ending(KernelCase):
    def ends(self, code: str, status: int, **options):
        call = self.kernel.run(code, **options)
        self.assertEqual(call.report.get("exit_status"), status, call.report)
        self.assertEqual(self.kernel.process.wait(10), status)
        return call

    def test_sys_exit(self):
        call = self.ends("import sys\nprint('before')\nsys.exit(3)\nprint('after')", 3)
        self.assertEqual((call.status, call.stdout), ("exited", "before\n"))

    def test_exit_and_quit(self):
        self.ends("exit()", 0)

    def test_quit_with_status(self):
        self.ends("quit(7)", 7)

    def test_a_bare_name(self):
        self.ends("exit", 0)

    def test_a_text_goes_to_stderr(self):
        self.assertEqual(self.ends("raise SystemExit('because')", 1).stderr, "because\n")

    def test_a_large_status(self):
        self.ends("raise SystemExit(-1)", 255)

    def test_within_functions_and_magics(self):
        self.ends("def f():\n    try:\n        exit(4)\n    finally:\n        print('finally')\n%time f()", 4)

    def test_os_exit_is_a_death(self):
        call = self.kernel.send("import os\nprint('last words')\nos._exit(9)")
        with self.assertRaises(Gone):
            self.kernel.collect(call)
        self.assertEqual(self.kernel.process.wait(10), 9)

    def test_os_exit_loses_no_line(self):
        call = self.kernel.send("import os\nfor n in range(5000): print(n)\nos._exit(0)")
        result = Call()
        with self.assertRaises(Gone):
            self.kernel.collect(call, result=result)
        self.assertTrue(result.stdout.endswith("4998\n4999\n"), result.stdout[-100:])

    def test_a_crash_says_where(self):
        call = self.kernel.send("import ctypes\ndef crash():\n    ctypes.string_at(0)\ncrash()")
        result = Call()
        with self.assertRaises(Gone):
            self.kernel.collect(call, result=result)
        self.assertEqual(self.kernel.process.wait(10), -11)
        self.assertIn(b'File "<cell 1>", line 3 in crash', result.raw[2] + self.kernel.last_words()[2])

    def test_threads_that_exit_end_nothing(self):
        self.run_ok("import threading, sys\nt = threading.Thread(target=sys.exit)\nt.start(); t.join()")
        self.assert_alive()

    def test_all_that_a_program_does_at_its_end_is_done_before_the_report(self):
        code = cell(
            """
            import atexit, threading, time
            class Thing:
                def __del__(self): print('destroyed')
            thing = Thing()
            atexit.register(lambda: print('at exit, with', type(thing).__name__))
            threading.Thread(target=lambda: (time.sleep(0.05), print('thread done'))).start()
            file = open('kept.txt', 'w')
            file.write('not flushed')
            raw = open('raw.bin', 'wb')
            raw.write(b'bytes')
            holder = [file]; holder.append(holder)
            exit(2)
            """
        )
        call = self.kernel.run(code)
        self.assertEqual((self.kernel.work / "kept.txt").read_text(), "not flushed")
        self.assertEqual((self.kernel.work / "raw.bin").read_bytes(), b"bytes")
        self.assertEqual(call.stdout, "thread done\nat exit, with Thing\ndestroyed\n")
        self.assertEqual(self.kernel.process.wait(10), 2)

    def test_the_end_can_be_interrupted(self):
        call = self.kernel.interrupted(
            "import atexit, time\natexit.register(lambda: (print('READY'), time.sleep(100)))\nexit(3)"
        )
        self.assertEqual(call.report["exit_status"], 3)
        self.assertIn("KeyboardInterrupt", call.stderr)
        self.assertEqual(self.kernel.process.wait(10), 3)

    def test_errors_at_exit_are_printed(self):
        call = self.ends("import atexit\natexit.register(lambda: 1 / 0)\nexit(5)", 5)
        self.assertIn("ZeroDivisionError", call.stderr)

    def test_a_program_ends_after_its_code(self):
        call = self.ends("import atexit\natexit.register(print, 'bye')\nprint('hello')", 0, final=True)
        self.assertEqual((call.status, call.stdout), ("ok", "hello\nbye\n"))

    def test_a_program_that_raises(self):
        call = self.ends("open('f', 'w').write('x' * 10)\n1 / 0", 1, final=True, filename="prog.py")
        self.assertEqual((call.status, call.report["ename"]), ("raised", "ZeroDivisionError"))
        self.assertIn('File "prog.py", line 2', call.traceback)

    def test_a_program_that_exits(self):
        self.assertEqual(self.ends("raise SystemExit(6)", 6, final=True).status, "exited")

    def test_a_figure_is_shown_before_the_end(self):
        from harness import has

        if not has("matplotlib"):
            self.skipTest("no matplotlib")
        call = self.ends("import matplotlib.pyplot as plt\nplt.plot([1])\nexit(1)", 1)
        self.assertEqual(len(call.images), 1)


if __name__ == "__main__":
    unittest.main()
