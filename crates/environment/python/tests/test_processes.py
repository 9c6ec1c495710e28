"""Children: they write by the pipes, and never speak for the kernel."""

import unittest

from harness import KernelCase, cell


class Forks(KernelCase):
    def test_a_forked_child_prints_by_the_pipe(self):
        code = cell(
            """
            import os, sys, logging
            logging.basicConfig()
            print('parent before', end='')
            pid = os.fork()
            if pid == 0:
                print('child')
                print('err', file=sys.stderr)
                logging.warning('logged')
                display(1)
                sys.stdout.flush()
                os._exit(0)
            os.waitpid(pid, 0)
            print(' after')
            """
        )
        call = self.run_ok(code)
        self.assertEqual(call.stdout, "parent before after\n")
        self.assertEqual(call.raw, {1: b"child\n", 2: b"err\nWARNING:root:logged\n"})
        self.assertEqual(call.displays, [])

    def test_a_child_that_runs_to_the_end_of_the_cell_ends(self):
        call = self.run_ok(
            cell(
                """
                import os
                pid = os.fork()
                if pid == 0: print('child')
                else: status = os.waitpid(pid, 0)[1]
                print('both')
                """
            )
        )
        self.assertEqual((call.stdout, call.raw[1]), ("both\n", b"child\nboth\n"))
        self.assertEqual(self.run_ok("status").value, "0")
        call = self.run_ok(
            cell(
                """
                pid = os.fork()
                if pid == 0: 1 / 0
                os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                """
            )
        )
        self.assertEqual(call.value, "1")
        self.assertIn(b"ZeroDivisionError", call.raw[2])
        self.assertNotIn(b"cellblock_kernel", call.raw[2])
        call = self.run_ok(
            cell(
                """
                import sys
                pid = os.fork()
                if pid == 0: sys.exit(5)
                os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                """
            )
        )
        self.assertEqual(call.value, "5")

    def test_forking_while_threads_print(self):
        code = cell(
            """
            import os, threading
            stop = False
            def flood():
                while not stop: print('thread')
            t = threading.Thread(target=flood); t.start()
            for n in range(50):
                pid = os.fork()
                if pid == 0:
                    print('child', flush=True)
                    os._exit(0)
                os.waitpid(pid, 0)
            stop = True; t.join()
            """
        )
        call = self.run_ok("import warnings; warnings.simplefilter('ignore')\n" + code)
        self.assertEqual(call.raw[1], b"child\n" * 50)
        self.assertEqual(set(call.stdout.split()), {"thread"})

    def test_multiprocessing(self):
        code = cell(
            """
            import multiprocessing as mp
            def square(n):
                print('in', n, flush=True)
                return n * n
            with mp.Pool(2) as pool: result = pool.map(square, range(4))
            result
            """
        )
        call = self.run_ok(code)
        self.assertEqual(call.value, "[0, 1, 4, 9]")
        self.assertEqual(sorted(call.raw[1].split(b"\n")), [b"", b"in 0", b"in 1", b"in 2", b"in 3"])

    def test_multiprocessing_with_classes_of_the_cell(self):
        code = cell(
            """
            from concurrent.futures import ProcessPoolExecutor
            import dataclasses
            @dataclasses.dataclass
            class Point:
                x: int
            def move(p): return Point(p.x + 1)
            with ProcessPoolExecutor(2) as pool: moved = list(pool.map(move, [Point(1), Point(2)]))
            moved
            """
        )
        self.assertEqual(self.run_ok(code).value, "[Point(x=2), Point(x=3)]")

    def test_spawned_processes(self):
        # Only what a module holds can be sent to a process that was not forked from here.
        (self.kernel.work / "work.py").write_text(
            cell(
                """
                def double(n):
                    print('spawned', flush=True)
                    return n * 2
                """
            )
        )
        for method in ("spawn", "forkserver"):
            self.run_ok(f"import multiprocessing as mp, work\ncontext = mp.get_context('{method}')")
            call = self.run_ok("with context.Pool(1) as pool: r = pool.map(work.double, [4])\nr")
            self.assertEqual((call.value, call.raw[1]), ("[8]", b"spawned\n"))

    def test_a_process_and_a_queue(self):
        code = cell(
            """
            import multiprocessing as mp
            q = mp.Queue()
            def put(q): q.put('sent')
            p = mp.Process(target=put, args=(q,)); p.start()
            value = q.get(); p.join()
            value, p.exitcode
            """
        )
        self.assertEqual(self.run_ok(code).value, "('sent', 0)")

    def test_the_environment_of_children(self):
        call = self.run_ok(
            cell(
                """
                import subprocess, sys
                code = "import sys, os; print(sys.flags.isolated, sys.flags.safe_path, 'PYTHONPATH' in os.environ)"
                print(subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout)
                """
            )
        )
        self.assertEqual(call.stdout, "0 False False\n\n")


if __name__ == "__main__":
    unittest.main()
