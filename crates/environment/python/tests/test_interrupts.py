"""SIGINT stops what runs, and nothing else."""

import time
import unittest

from harness import KernelCase, cell, has


class Interrupts(KernelCase):
    def check(self, code: str, marker: str = "READY"):
        self.run_ok("kept = 'variable'")
        started = time.monotonic()
        call = self.kernel.interrupted(code, marker)
        self.assertLess(time.monotonic() - started, 15)
        self.assertEqual((call.status, call.report["ename"]), ("raised", "KeyboardInterrupt"), call.report)
        self.assertTrue(call.report["interrupted"])
        self.assertTrue(call.traceback.endswith("KeyboardInterrupt"), call.traceback)
        self.assertNotIn("cellblock_kernel", call.traceback)
        self.assertEqual(self.run_ok("kept").value, "'variable'")
        return call

    def test_loops(self):
        call = self.check("print('READY')\nwhile True: pass")
        self.assertIn('File "<cell 2>", line ', call.traceback)
        self.check("print('READY')\nfor n in iter(int, 1): n + 1")
        self.check("print('READY')\n[0 for n in iter(int, 1)]")

    def test_sleep(self):
        self.check("import time\nprint('READY')\ntime.sleep(100)")

    def test_blocking_calls(self):
        self.check("import os\nos.mkfifo('f')\nprint('READY')\nopen('f').read()")
        self.check("import threading\nprint('READY')\nthreading.Event().wait()")
        self.check("import socket\na, b = socket.socketpair()\nprint('READY')\na.recv(1)")
        self.check("import queue\nprint('READY')\nqueue.Queue().get()")

    def test_nested_handlers(self):
        self.check(
            cell(
                """
                try:
                    1 / 0
                except ZeroDivisionError:
                    try:
                        {}['x']
                    except KeyError:
                        print('READY')
                        while True: pass
                """
            )
        )
        call = self.check("try:\n    print('READY')\n    while True: pass\nfinally:\n    print('cleaned')")
        self.assertIn("cleaned", call.stdout)

    def test_the_first_statement_of_a_cell(self):
        self.check("while print('READY') or True: pass")

    def test_printing(self):
        self.check("while True: print('READY')")
        self.check("import sys\nwhile True: sys.stdout.write('READY' * 10000)")

    @unittest.skipUnless(has("numpy"), "no numpy")
    def test_numpy(self):
        self.check("import numpy as np\na = np.ones(1000)\nprint('READY')\nwhile True: a = a * 1.0")

    def test_subprocesses(self):
        self.check("import subprocess\nprint('READY')\nsubprocess.run(['sleep', '100'])")
        self.check("import subprocess\nsubprocess.check_output('echo READY >&2; sleep 100', shell=True)")
        self.check("import os\nos.system('echo READY; sleep 100')")

    def test_commands(self):
        self.check("!echo READY; sleep 100")
        self.check("!echo READY; sleep 100 | sleep 100")
        self.check("x = !echo READY >&2; echo READY > /proc/$PPID/fd/1; sleep 100")
        self.check("%%bash\necho READY\nsleep 100")

    def test_a_command_that_ignores_it_is_killed(self):
        call = self.kernel.interrupted("!trap '' INT TERM; echo READY $$; sleep 100; sleep 100")
        self.assertTrue(call.report["interrupted"])
        number = call.raw[1].decode().split()[1]
        self.assertEqual(self.run_ok(f"import os\nos.path.exists('/proc/{number}')").value, "False")

    def test_magics(self):
        self.check("%time print('READY'); __import__('time').sleep(100)")
        self.check("%%time\nprint('READY')\n__import__('time').sleep(100)")

    def test_destructors_and_callbacks_do_not_swallow_it(self):
        code = """
            import weakref
            class Slow:
                def __del__(self):
                    print('READY')
                    while True: pass
            Slow()
            while True: pass
        """
        self.assertNotIn("ignored", self.check(cell(code)).stderr)
        code = """
            class Thing: pass
            def gone(ref):
                print('READY')
                while True: pass
            thing = Thing(); ref = weakref.ref(thing, gone); del thing
            while True: pass
        """
        self.check(cell(code))

    def test_code_that_goes_on_goes_on(self):
        call = self.kernel.interrupted(
            cell(
                """
                import time
                try:
                    print('READY')
                    time.sleep(100)
                except KeyboardInterrupt:
                    print('caught')
                'done'
                """
            )
        )
        self.assertEqual((call.status, call.value), ("ok", "'done'"))
        self.assertFalse(call.report["interrupted"])

    def test_code_that_catches_it_once_is_interrupted_again(self):
        call = self.kernel.send(
            cell(
                """
                import time
                try:
                    print('READY')
                    time.sleep(100)
                except KeyboardInterrupt:
                    print('AGAIN')
                    time.sleep(100)
                """
            )
        )
        result = self.kernel.collect(call, until="READY")
        self.kernel.interrupt()
        result = self.kernel.collect(call, until="AGAIN", result=result)
        self.kernel.interrupt()
        self.assertTrue(self.kernel.collect(call, result=result).report["interrupted"])

    def test_an_idle_kernel_ignores_it(self):
        for _ in range(50):
            self.kernel.interrupt()
            self.assert_alive()

    def test_the_end_of_a_call_is_no_hole(self):
        # Interrupts at every moment around the end of a call: each either stops it or does nothing.
        outcomes = {"ok": 0, "raised": 0}
        self.run_ok("count = 0")
        for n in range(400):
            call = self.kernel.send("count += 1\nprint(count)\ncount")
            deadline = time.perf_counter() + (n % 40) * 20e-6
            while time.perf_counter() < deadline:
                pass
            self.kernel.interrupt()
            result = self.kernel.collect(call)
            outcomes[result.status] += 1
            if result.status == "raised":
                self.assertEqual(result.report["ename"], "KeyboardInterrupt", result.traceback)
            after = self.run_ok("'undisturbed'")
            self.assertEqual(after.value, "'undisturbed'")
        self.assertGreater(outcomes["ok"], 0, outcomes)

    def test_a_storm_breaks_no_frame(self):
        call = self.kernel.send(
            cell(
                """
                import sys
                hits = 0
                while hits < 200:
                    try:
                        while True: print('x' * 5000); sys.stderr.write('y\\n')
                    except KeyboardInterrupt:
                        hits += 1
                """
            )
        )
        result = self.kernel.collect(call, until="x")
        import threading

        stop = threading.Event()

        def storm():
            while not stop.wait(0.001):
                self.kernel.interrupt()

        thread = threading.Thread(target=storm)
        thread.start()
        try:
            result = self.kernel.collect(call, result=result)
        finally:
            stop.set()
            thread.join()
        self.assertIn(result.status, ("ok", "raised"))
        self.assert_alive()

    def test_handlers_of_the_users_do_not_outlive_the_call(self):
        self.run_ok("import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL);")
        self.kernel.interrupt()
        self.assert_alive()
        self.run_ok("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN);")
        self.check("print('READY')\nwhile True: pass")

    def test_an_interrupted_import_can_be_done_again(self):
        package = self.kernel.work / "package"
        package.mkdir()
        (package / "first.py").write_text("VALUE = 1\n")
        (package / "second.py").write_text("import time\nif SLOW: print('READY'); time.sleep(100)\n")
        (package / "__init__.py").write_text("from .first import *\nfirst.VALUE\nfrom . import second\n")
        self.run_ok("import builtins; builtins.SLOW = True")
        self.check("import package")
        self.assertEqual(self.run_ok("builtins.SLOW = False\nimport package\npackage.first.VALUE").value, "1")

    def test_while_ipython_is_imported(self):
        call = self.kernel.send("print('READY')\nimport IPython\nwhile True: pass")
        result = self.kernel.collect(call, until="READY")
        self.kernel.interrupt()
        self.assertTrue(self.kernel.collect(call, result=result).report["interrupted"])
        self.assertEqual(self.run_ok("%pwd\n_ is not None").status, "ok")
        self.assertEqual(self.run_ok("get_ipython() is not None").value, "True")

    def test_handlers_look_as_they_were_set(self):
        code = cell(
            """
            import signal
            def f(*a): print('called')
            old = signal.signal(signal.SIGUSR1, f)
            old, signal.getsignal(signal.SIGUSR1) is f, signal.signal(signal.SIGUSR1, f) is f
            """
        )
        self.assertEqual(self.run_ok(code).value, "(<Handlers.SIG_DFL: 0>, True, True)")
        self.assertEqual(self.run_ok("signal.raise_signal(signal.SIGUSR1)").stdout, "called\n")

    def test_a_handler_between_calls_may_print_and_may_not_raise(self):
        self.run_ok(
            cell(
                """
                import signal
                def f(*a): print('between'); raise TimeoutError('late')
                signal.signal(signal.SIGUSR1, f);
                """
            )
        )
        import signal

        self.kernel.process.send_signal(signal.SIGUSR1)
        call = self.run_ok("print('now')")
        self.assertEqual(call.stdout, "between\nnow\n")
        self.assertTrue(call.stderr.endswith("TimeoutError: late\n"), call.stderr)


if __name__ == "__main__":
    unittest.main()
