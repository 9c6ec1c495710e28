"""What a call is: code in, values out, and what stays for the next."""

import time
import unittest

from harness import PYTHON, RUN, Kernel, KernelCase, cell


class Calls(KernelCase):
    def test_variables_persist_and_the_last_expression_is_shown(self):
        self.assertIsNone(self.run_ok("x = 20").result)
        call = self.run_ok("x += 1\nx * 2")
        self.assertEqual(call.result, {"data": {"text/plain": "42"}, "metadata": {}, "execution_count": 2})
        self.assertEqual(call.report["execution_count"], 2)
        self.assertFalse(call.report["interrupted"])

    def test_values_are_remembered_as_ipython_does(self):
        self.run_ok("'one'")
        self.run_ok("'two'")
        self.assertEqual(
            self.run_ok("[_, __, Out[1], _2, In[1], _i1]").value,
            "['two', 'one', 'one', 'two', \"'one'\", \"'one'\"]",
        )
        self.run_ok("_ = 'mine'")
        self.run_ok("'three'")
        self.assertEqual(self.run_ok("_").value, "'mine'")

    def test_values_survive_the_moment_ipython_is_loaded(self):
        self.run_ok("40 + 2")
        self.run_ok("open = exit = 'user'")
        self.run_ok("get_ipython().__class__")
        self.assertEqual(
            self.run_ok("(Out[1], _1, open, exit, In[1])").value, "(42, 42, 'user', 'user', '40 + 2')"
        )

    def test_a_semicolon_silences(self):
        for code in ("1;", "1 ; # why", "x = 1\n(x\n);", "'é';"):
            self.assertIsNone(self.run_ok(code).result, code)
        for code in ("';'", "1 # ;", "x=1; 'é;'"):
            self.assertIsNotNone(self.run_ok(code).result, code)

    def test_statements_show_nothing(self):
        for code in ("x = 1", "None", "for i in range(3): i", "def f(): return 1", "if 1:\n  5"):
            self.assertIsNone(self.run_ok(code).result, code)

    def test_silent_calls_leave_no_trace(self):
        self.assertIsNone(self.run_ok("y = 1; 5", silent=True).result)
        self.assertEqual(self.run_ok("6", store_history=False).value, "6")
        call = self.run_ok("len(In), y")
        self.assertEqual((call.value, call.report["execution_count"]), ("(2, 1)", 1))

    def test_nothing_to_run(self):
        for code in ("", "  \n\t\n", "# only a comment", "\n\n#\n"):
            call = self.run_ok(code)
            self.assertEqual(call.frames, [], code)
        self.assert_alive()

    def test_unusual_sources(self):
        self.run_raised("x = 'a\0b'")
        self.run_raised("x = '\ud800'")
        self.run_raised("if True:\nx = 1", "IndentationError")
        self.assertEqual(self.run_ok("    x = 5\n    x").value, "5")
        self.assertEqual(self.run_ok("x = 1\r\nx + 1\r\n").value, "2")
        self.assertEqual(self.run_ok("größe = 'Ä'; größe").value, "'Ä'")
        self.run_raised("(" * 5000 + ")" * 5000)
        self.assert_alive()

    def test_five_megabytes_of_source(self):
        lines = 5 * (1 << 20) // 40
        call = self.run_ok(
            "\n".join(f"value_{n:08} = {n:08x}1 # padding".replace("= ", "= 0x") for n in range(lines))
        )
        self.assertEqual(call.frames, [])
        self.assertEqual(self.run_ok(f"value_{lines - 1:08} == 0x{lines - 1:08x}1").value, "True")
        self.run_raised("x = 1\n" * 100_000 + "x = = 2", "SyntaxError")

    def test_nothing_runs_of_a_cell_that_does_not_compile(self):
        self.assertEqual(self.run_raised("print('no')\nreturn 5", "SyntaxError").stdout, "")

    def test_future_imports_hold_for_later_cells(self):
        self.run_ok("from __future__ import annotations")
        self.assertEqual(self.run_ok("def f(x: nowhere): pass\nf.__annotations__").value, "{'x': 'nowhere'}")

    def test_a_program_of_the_users_is_named_as_he_named_it(self):
        call = self.run_raised("import sys\n1 / 0", filename="/mnt/workspace/sales.py")
        self.assertIn('File "/mnt/workspace/sales.py", line 2, in <module>\n    1 / 0', call.traceback)
        self.assertEqual(self.run_ok("__file__").value, "'/mnt/workspace/sales.py'")

    def test_the_namespace_is_main(self):
        code = cell(
            """
            import pickle, sys, dataclasses
            @dataclasses.dataclass
            class P:
                x: int
            sys.modules['__main__'].__dict__ is globals(), __name__, pickle.loads(pickle.dumps(P(3)))
            """
        )
        self.assertEqual(self.run_ok(code).value, "(True, '__main__', P(x=3))")

    def test_sources_can_be_looked_at(self):
        self.run_ok("def area(r):\n    return 3 * r\n")
        self.assertEqual(
            self.run_ok(
                cell(
                    """
                    import inspect
                    print(inspect.getsource(area), end='')
                    """
                )
            ).stdout,
            "def area(r):\n    return 3 * r\n",
        )

    def test_the_working_directory_persists(self):
        self.run_ok("import os; os.makedirs('sub'); os.chdir('sub')")
        self.assertTrue(self.run_ok("os.getcwd()").value.endswith("/sub'"))
        (self.kernel.work / "sub" / "helper.py").write_text("VALUE = 7\n")
        self.assertEqual(self.run_ok("import helper; helper.VALUE").value, "7")

    def test_nothing_of_ours_is_on_the_search_path(self):
        call = self.run_ok(
            cell(
                """
                import sys, os
                ours = [p for p in sys.path if 'cellblock_kernel' in p or p.endswith('environment/python')]
                [sys.path[0], sys.argv, ours, 'PYTHONPATH' in os.environ]
                """
            )
        )
        self.assertEqual(call.value, "['', [''], [], False]")
        code = cell(
            """
            import subprocess, sys
            argv = [sys.executable, '-c', 'import cellblock_kernel']
            print(subprocess.run(argv, capture_output=True, text=True).stderr)
            """
        )
        self.assertIn("No module named 'cellblock_kernel'", self.run_ok(code).stdout)

    def test_reports_measure(self):
        call = self.run_ok(
            cell(
                """
                import time
                t = time.process_time()
                while time.process_time() < t + 0.05: pass
                time.sleep(0.05)
                """
            )
        )
        self.assertGreaterEqual(call.report["cpu_seconds"], 0.05)
        self.assertGreaterEqual(call.report["seconds"], 0.1)
        child = self.run_ok(
            cell(
                """
                import subprocess, sys
                subprocess.run([sys.executable, '-c', 'import time\\nwhile time.process_time() < 0.3: pass'])
                """
            )
        )
        self.assertGreaterEqual(child.report["cpu_seconds"], 0.25)

    def test_reports_name_new_libraries(self):
        self.assertNotIn("modules", self.run_ok("import csv").report)
        self.assertIn("traitlets", self.run_ok("import traitlets").report["modules"])
        self.assertNotIn("modules", self.run_ok("import traitlets").report)

    def test_packages_installed_during_the_session_are_found(self):
        code = cell(
            """
            import site, os
            p = site.getusersitepackages(); os.makedirs(p)
            open(p + '/fresh.py', 'w').write('VALUE = 9')
            """
        )
        self.run_ok(code)
        self.assertEqual(self.run_ok("import fresh; fresh.VALUE").value, "9")


class Protocol(KernelCase):
    def test_unknown_keys_and_kinds_are_ignored(self):
        self.kernel.send_raw(0x7F, bytes(16), b"?")
        self.assertEqual(self.kernel.run("1", later={"a": 1}).value, "1")

    def test_a_call_that_is_not_json_is_answered(self):
        call = b"\x07" * 16
        for payload in (b"{", b"[]", b"{}", b'{"code": 5}'):
            self.kernel.send_raw(RUN, call, payload)
            self.assertEqual(self.kernel.collect(call).status, "raised")
        self.assert_alive()

    def test_calls_sent_ahead_are_run_in_turn(self):
        calls = [self.kernel.send(f"print({n})") for n in range(50)]
        for n, call in enumerate(calls):
            self.assertEqual(self.kernel.collect(call).stdout, f"{n}\n")

    def test_the_kernel_ends_when_init_is_gone(self):
        self.kernel.ours.close()
        self.kernel.process.wait(10)

    def test_the_kernel_ends_when_init_goes_while_it_prints(self):
        self.kernel.send("while True: print('x' * 1000)")
        self.kernel.frame()
        self.kernel.ours.close()
        self.kernel.process.wait(10)

    def test_a_session_of_a_hundred_calls(self):
        self.run_ok("total = 0")
        for n in range(100):
            self.run_ok(f"total += {n}")
        self.assertEqual(self.run_ok("total").value, "4950")

    def test_the_socket_is_not_for_children(self):
        code = cell(
            """
            import subprocess, sys
            subprocess.run(['ls', '-l', '/proc/self/fd'])
            """
        )
        listed = self.run_ok(code).raw[1].decode()
        self.assertIn("pipe:", listed)
        self.assertNotIn("socket:", listed)

    def test_a_kernel_can_be_started_as_a_module(self):
        from harness import SOURCES

        with Kernel([PYTHON, "-m", "cellblock_kernel"], {"PYTHONPATH": str(SOURCES)}) as kernel:
            self.assertEqual(kernel.run("6 * 7").value, "42")


class Speed(KernelCase):
    def test_a_trivial_call_is_quick(self):
        # A guard against an accident (an import per call, a sleep), not a measurement: the machine may be busy.
        self.run_ok("x = 1")
        best = min(self._timed() for _ in range(200))
        self.assertLess(best, 0.002)

    def _timed(self) -> float:
        started = time.perf_counter()
        self.kernel.run("x=1+1; print(x)")
        return time.perf_counter() - started

    def test_ipython_is_not_loaded_before_it_is_needed(self):
        code = cell(
            """
            import sys
            late = ('IPython', 'asyncio', 'matplotlib', 'subprocess', 'traceback', 'ctypes')
            print([m for m in late if m in sys.modules])
            """
        )
        self.assertEqual(self.run_ok(code).stdout, "[]\n")


if __name__ == "__main__":
    unittest.main()
