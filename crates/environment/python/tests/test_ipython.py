"""Magics, commands and everything else that is IPython's."""

import unittest

from harness import KernelCase, cell


class Magics(KernelCase):
    def test_line_magics(self):
        self.run_ok("alpha = 1")
        self.assertEqual(self.run_ok("%who").stdout, "alpha\t \n")
        self.assertIn("alpha", self.run_ok("%whos").stdout)
        self.assertIn("Wall time", self.run_ok("%time sum(range(10))").stdout)
        self.assertIn("loop", self.run_ok("%timeit -n1 -r1 pass").stdout)
        self.assertTrue(self.run_ok("%pwd").value.endswith("/work'"))

    def test_commands_without_a_percent_sign(self):
        self.run_ok("import os; open('here.txt', 'w').close()")
        self.assertIn("here.txt", self.run_ok("ls -a").raw[1].decode())
        self.run_ok("cd /")
        self.assertEqual(self.run_ok("pwd").value, "'/'")
        self.assertEqual(self.run_ok("pwd = 5\npwd").value, "5")
        self.assertEqual(self.run_ok("pwd").value, "5")

    def test_magics_among_statements(self):
        code = "x = 3\nif x:\n    %time y = x + 1\ny"
        call = self.run_ok(code)
        self.assertEqual(call.value, "4")
        self.assertIn("Wall time", call.stdout)
        self.assertIn("y = x + 1", self.run_ok("%history -n 1").stdout)

    def test_cell_magics(self):
        self.assertIn("Wall time", self.run_ok("%%time\nx = 1\nprint(x)").stdout)
        self.run_ok("%%writefile note.txt\nsome text\n")
        self.assertEqual(self.run_ok("open('note.txt').read()").value, "'some text\\n'")
        self.run_ok("%%capture caught\nprint('hidden')\n7")
        self.assertEqual(self.run_ok("caught.stdout").value, "'hidden\\n'")

    def test_an_unknown_magic_is_one_line(self):
        call = self.run_raised("%nosuchthing", "UsageError")
        self.assertEqual(call.traceback, "UsageError: Line magic function `%nosuchthing` not found.")

    def test_help(self):
        self.assertIn("Return the number of items", self.run_ok("len?").displays[0]["data"]["text/plain"])
        self.run_ok("def f():\n    'Doc of f.'\n    return 1")
        self.assertIn("return 1", self.run_ok("f??").displays[0]["data"]["text/plain"])

    def test_run(self):
        self.run_ok("open('prog.py', 'w').write('made = 11\\nprint(__name__)\\n')")
        self.assertEqual(self.run_ok("%run prog.py").stdout, "__main__\n")
        self.assertEqual(self.run_ok("made").value, "11")
        self.run_ok("open('bad.py', 'w').write('def g():\\n    1 / 0\\ng()\\n')")
        call = self.kernel.run("%run bad.py")
        self.assertIn("ZeroDivisionError: division by zero", call.stderr + call.traceback)
        self.assertNotIn("IPython", call.stderr + call.traceback)

    def test_reset(self):
        self.run_ok("a = 1\n5")
        self.run_ok("%reset")
        self.run_raised("a", "NameError")
        self.assertEqual(self.run_ok("__name__, get_ipython() is not None").value, "('__main__', True)")
        self.assertEqual(self.run_ok("8").value, "8")
        self.assertEqual(self.run_ok("_").value, "8")

    def test_pip_is_run_by_the_kernels_python(self):
        self.assertIn("pip", self.run_ok("%pip --version").raw[1].decode())

    def test_matplotlib_and_its_options_are_tolerated(self):
        for line in ("%matplotlib inline", "%matplotlib", "%matplotlib notebook", "%gui"):
            self.run_ok(line)

    def test_the_shell_is_the_namespaces(self):
        self.assertEqual(self.run_ok("import IPython\nIPython.get_ipython() is get_ipython()").value, "True")
        self.run_ok("get_ipython().user_ns['planted'] = 3")
        self.assertEqual(self.run_ok("planted").value, "3")
        call = self.run_ok("r = get_ipython().run_cell('inner = 5\\ninner + 1')")
        self.assertEqual((call.value, self.run_ok("inner, r.success").value), ("6", "(5, True)"))
        self.assertEqual(self.run_ok("%tb").status, "ok")

    def test_nothing_is_written_into_the_home(self):
        self.run_ok("get_ipython().run_line_magic('who', '')")
        self.assertFalse((self.kernel.home / ".ipython").exists())
        self.assertEqual(
            self.run_ok(
                cell(
                    """
                    import threading, os
                    threading.active_count(), len(os.listdir('/proc/self/task'))
                    """
                )
            ).value,
            "(1, 1)",
        )
        self.run_ok("get_ipython().db['x'] = 4")
        self.assertTrue((self.kernel.home / ".ipython").exists())


class Settings(KernelCase):
    def test_interactivity(self):
        self.run_ok(
            cell(
                """
                from IPython.core.interactiveshell import InteractiveShell
                InteractiveShell.ast_node_interactivity = 'all'
                """
            )
        )
        call = self.kernel.run("1\n2\nx = 3")
        values = [frame[1].decode().split('"')[5] for frame in call.frames if frame[0] == "result"]
        self.assertEqual(values, ["1", "2"])
        self.run_ok("get_ipython().ast_node_interactivity = 'last_expr_or_assign'")
        self.assertEqual(self.run_ok("y = 4").value, "4")
        self.assertIsNone(self.run_ok("y = 4;").result)
        self.run_ok("get_ipython().ast_node_interactivity = 'none'")
        self.assertIsNone(self.run_ok("y").result)

    def test_transformers(self):
        self.run_ok(
            cell(
                """
                import ast
                class Double(ast.NodeTransformer):
                    def visit_Constant(self, node):
                        return ast.Constant(node.value * 2)
                get_ipython().ast_transformers.append(Double())
                """
            )
        )
        self.assertEqual(self.run_ok("21").value, "42")
        self.run_ok("get_ipython().ast_transformers.clear()")
        self.run_ok(
            "get_ipython().input_transformers_post.append(lambda lines: [l.replace('EUR', '1.1') for l in lines])"
        )
        self.assertEqual(self.run_ok("EUR + 1").value, "2.1")

    def test_events(self):
        self.run_ok(
            cell(
                """
                seen = []
                events = get_ipython().events
                events.register('pre_run_cell', lambda info: seen.append(info.raw_cell))
                events.register('post_run_cell', lambda result: seen.append(type(result.error_in_exec).__name__))
                """
            )
        )
        self.run_raised("1 / 0")
        self.assertIn("'1 / 0', 'ZeroDivisionError'", self.run_ok("seen").value)

    def test_precision(self):
        self.run_ok("%precision 2")
        self.assertEqual(self.run_ok("3.14159").value, "3.14")

    def test_libraries_take_the_shell_for_a_notebooks(self):
        self.assertEqual(self.run_ok("hasattr(get_ipython(), 'kernel')").value, "True")


class Commands(KernelCase):
    def test_output_comes_by_the_pipes(self):
        call = self.run_ok("!echo out; echo err >&2; exit 3")
        self.assertEqual((call.raw, call.frames), ({1: b"out\n", 2: b"err\n"}, []))
        self.assertEqual(self.run_ok("_exit_code").value, "3")

    def test_no_terminal_and_nobody_to_ask(self):
        self.assertEqual(
            self.run_ok("!test -t 1 && echo tty || echo pipe; read x || echo eof").raw[1], b"pipe\neof\n"
        )

    def test_output_streams_while_the_command_runs(self):
        call = self.kernel.send("!echo first; read x < gate; echo second")
        # The gate is a fifo that only we open, so "first" was seen while the command ran.
        import os

        gate = self.kernel.work / "gate"
        self.kernel.collect(call)
        os.mkfifo(gate)
        call = self.kernel.send("!echo first; read x < gate; echo second")
        result = self.kernel.collect(call, until="first")
        self.assertNotIn(b"second", result.raw[1])
        gate.write_text("go\n")
        self.assertEqual(self.kernel.collect(call, result=result).raw[1], b"first\nsecond\n")

    def test_capturing_a_command(self):
        self.assertEqual(
            self.run_ok(
                cell(
                    """
                    lines = !printf 'a\\nb\\n'; echo c >&2
                    lines
                    """
                )
            ).value,
            "['a', 'b', 'c']",
        )
        self.assertEqual(self.run_ok("name = 'x y'\n!echo {name} $name").raw[1], b"x y x y\n")
        self.assertEqual(self.run_ok("%%capture c\n!echo caught").raw[1], b"")
        self.assertEqual(self.run_ok("c.stdout").value, "'caught\\n'")

    def test_scripts(self):
        self.assertEqual(self.run_ok("%%bash\nx=5\necho $((x * 2))").raw[1], b"10\n")
        self.assertEqual(self.run_ok('%%sh\necho "$0"').raw[1], b"sh\n")
        self.assertIn("status 4", self.run_raised("%%bash\nexit 4", "CalledProcessError").traceback)
        self.run_ok("%%bash --out kept\necho kept")
        self.assertEqual(self.run_ok("kept").value, "'kept\\n'")
        self.assertIn("nosuchprogram", self.run_ok("%%script nosuchprogram\nx").stderr)

    def test_order_of_prints_and_commands(self):
        # What was printed goes out before a process starts, also when printing is coalesced.
        code = cell(
            """
            import subprocess, os
            for n in range(2000): print(n)
            print('tail', end='')
            subprocess.run(['echo', 'child'])
            """
        )
        call = self.kernel.send(code)
        result = self.kernel.collect(call, until="child")
        self.assertTrue(result.stdout.endswith("1999\ntail") or result.raw[1] == b"")
        self.kernel.collect(call, result=result)

    def test_os_system(self):
        self.assertEqual(
            self.run_ok(
                cell(
                    """
                    import os
                    os.waitstatus_to_exitcode(os.system('echo hi; exit 3'))
                    """
                )
            ).value,
            "3",
        )
        self.assertEqual(self.run_ok("os.waitstatus_to_exitcode(os.system('kill -9 $$'))").value, "-9")


if __name__ == "__main__":
    unittest.main()
