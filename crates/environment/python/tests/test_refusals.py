"""What would wait for a person fails at once."""

import unittest

from harness import KernelCase, cell


class Refusals(KernelCase):
    def test_input(self):
        call = self.run_raised("name = input('Your name: ')", "EOFError")
        self.assertIn("input() has nobody to ask", call.report["evalue"])
        self.assertEqual(len([line for line in call.traceback.splitlines() if line.startswith("  File")]), 1)

    def test_getpass(self):
        self.assertIn(
            "getpass() has nobody to ask",
            self.run_raised(
                cell(
                    """
                    import getpass
                    getpass.getpass()
                    """
                ),
                "EOFError",
            ).report["evalue"],
        )
        self.run_raised("from getpass import getpass\ngetpass('Password: ')", "EOFError")

    def test_stdin_says_that_there_is_none(self):
        for code in (
            "import sys; sys.stdin.read()",
            "import sys; sys.stdin.readline()",
            "import sys; list(sys.stdin)",
            "import sys; sys.stdin.buffer.read()",
            "import sys; sys.stdin.buffer.readline()",
            "import fileinput; list(fileinput.input([]))",
        ):
            call = self.run_raised(code, "EOFError")
            self.assertIn("sys.stdin has nothing to read", call.report["evalue"], code)
        self.assertEqual(
            self.run_ok("sys.stdin.isatty(), sys.stdin.fileno(), sys.stdin.name, sys.stdin.closed").value,
            "(False, 0, '<stdin>', False)",
        )

    def test_a_child_has_an_empty_standard_input(self):
        self.assertEqual(
            self.run_ok(
                "import subprocess, sys\n"
                "subprocess.run([sys.executable, '-c', 'import sys; print(repr(sys.stdin.read()))'], "
                "capture_output=True, text=True).stdout"
            ).value,
            repr("''\n"),
        )

    def test_another_standard_input_is_read(self):
        self.assertEqual(
            self.run_ok("import io, sys\nsys.stdin = io.StringIO('a\\n')\nsys.stdin.read()").value, repr("a\n")
        )

    def test_debuggers(self):
        for code in (
            "breakpoint()",
            "import pdb; pdb.set_trace()",
            "import pdb; pdb.run('1')",
            "import IPython.core.debugger; IPython.core.debugger.set_trace()",
        ):
            call = self.run_raised(f"{code}\nx = 1", "RuntimeError")
            self.assertIn("a debugger has nobody to talk to", call.report["evalue"])
        self.run_raised("1 / 0")
        call = self.kernel.run("%debug")
        self.assertIn("a debugger has nobody to talk to", call.traceback + call.stderr)
        self.run_raised("1 / 0")
        call = self.kernel.run("import pdb; pdb.pm()")
        self.assertIn("a debugger has nobody to talk to", call.traceback)
        self.assert_alive()

    def test_a_debugger_that_is_told_what_to_do_works(self):
        code = cell(
            """
            import pdb, io
            def f():
                x = 5
                return x
            out = io.StringIO()
            p = pdb.Pdb(stdin=io.StringIO('p 6 * 7\\nc\\n'), stdout=out)
            p.use_rawinput = False
            p.runcall(f)
            '42' in out.getvalue()
            """
        )
        self.assertEqual(self.run_ok(code).value, "True")


if __name__ == "__main__":
    unittest.main()
