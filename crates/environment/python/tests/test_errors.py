"""Exceptions: the user's frames in Python's words, whatever the exception does."""

import unittest

from harness import KernelCase, cell


class Tracebacks(KernelCase):
    def test_the_ordinary_one(self):
        self.run_ok("def f(x):\n    return 1 / x\n")
        call = self.run_raised("f(1)\nf(0)", "ZeroDivisionError")
        lines = [line for line in call.traceback.splitlines() if "~" not in line and "^" not in line]
        expected = [
            "Traceback (most recent call last):",
            '  File "<cell 2>", line 2, in <module>',
            "    f(0)",
            '  File "<cell 1>", line 2, in f',
            "    return 1 / x",
            "ZeroDivisionError: division by zero",
        ]
        self.assertEqual(lines, expected)
        self.assertEqual(call.report["evalue"], "division by zero")
        self.assertNotIn("\x1b", call.traceback)

    def test_a_syntax_error_points_at_its_place(self):
        call = self.run_raised("x = 1\ny = = 2", "SyntaxError")
        self.assertEqual(
            call.traceback, '  File "<cell 1>", line 2\n    y = = 2\n        ^\nSyntaxError: invalid syntax'
        )

    def test_chains(self):
        call = self.run_raised("try:\n    {}['a']\nexcept KeyError:\n    raise ValueError('second')")
        self.assertIn("KeyError: 'a'\n\nDuring handling of the above exception, another", call.traceback)
        self.assertTrue(call.traceback.endswith("ValueError: second"))
        call = self.run_raised(
            cell(
                """
                try:
                    {}['a']
                except KeyError as e:
                    raise ValueError('second') from e
                """
            )
        )
        self.assertIn("The above exception was the direct cause", call.traceback)

    def test_errors_in_libraries_keep_the_librarys_frames(self):
        call = self.run_raised("import json\njson.loads('{')")
        self.assertIn("json/decoder.py", call.traceback)
        self.assertIn("<cell 1>", call.traceback)
        self.assertNotIn("cellblock_kernel", call.traceback)

    def test_no_machinery_in_magics(self):
        # Some releases of IPython print what `%time` meets, and go on.
        call = self.kernel.run("def bad(): raise ValueError('x')\n%time bad()")
        text = call.traceback + call.stderr
        self.assertNotIn("IPython", text)
        self.assertNotIn("cellblock_kernel", text)
        self.assertIn("in bad", text)
        self.assertIn("ValueError: x", text)

    def test_groups_and_notes(self):
        call = self.run_raised(
            cell(
                """
                e = ExceptionGroup('many', [ValueError('a'), TypeError('b')])
                e.add_note('a note')
                raise e
                """
            )
        )
        for text in ("ExceptionGroup: many (2 sub-exceptions)", "ValueError: a", "TypeError: b", "a note"):
            self.assertIn(text, call.traceback)

    def test_endless_recursion_is_bounded(self):
        call = self.run_raised("def f(): f()\nf()", "RecursionError")
        self.assertLess(len(call.traceback), 5000)
        code = "def a(): b()\ndef b(): a()\nimport sys; sys.setrecursionlimit(20000)\na()"
        call = self.run_raised(code, "RecursionError")
        self.assertLess(len(call.traceback), 80_000)
        self.assertTrue(call.traceback.splitlines()[-1].startswith("RecursionError"))
        self.assert_alive()

    def test_huge_messages_are_cut(self):
        call = self.run_raised("raise ValueError('x' * 50_000_000 + 'END')", "ValueError")
        self.assertLess(len(call.traceback), 80_000)
        self.assertLess(len(call.report["evalue"]), 9_000)
        self.assertIn("left out", call.report["evalue"])
        self.assertTrue(call.report["evalue"].endswith("END"))
        call = self.run_raised("raise ValueError('line\\n' * 1_000_000)")
        self.assertLess(len(call.traceback), 80_000)

    def test_last_error_is_there_for_debuggers(self):
        self.run_raised("1 / 0")
        self.assertEqual(
            self.run_ok(
                cell(
                    """
                    import sys, traceback
                    type(sys.last_value).__name__
                    """
                )
            ).value,
            "'ZeroDivisionError'",
        )
        self.assertIn("ZeroDivisionError", self.run_ok("%tb").stderr)


class Nasty(KernelCase):
    def check(self, code, name=None):
        call = self.run_raised(code, name)
        self.assertTrue(call.traceback)
        self.assert_alive()
        return call

    def test_broken_texts(self):
        self.check(
            cell(
                """
                class E(Exception):
                    def __str__(self): raise RuntimeError('no')
                    __repr__ = __str__
                raise E
                """
            ),
            "E",
        )
        self.check("class E(Exception):\n    def __str__(self): return 5\nraise E", "E")
        self.check("class E(Exception):\n    def __str__(self): raise KeyboardInterrupt\nraise E", "E")
        self.check("class E(Exception):\n    def __str__(self): raise SystemExit(3)\nraise E", "E")
        self.check("raise ValueError('\\ud800 \\x00 \\x1b[31m')", "ValueError")

    def test_broken_attributes(self):
        self.check(
            cell(
                """
                class E(Exception):
                    def __getattribute__(self, name): raise RuntimeError(name)
                raise E()
                """
            )
        )
        self.check("class E(Exception):\n    __notes__ = property(lambda self: 1 / 0)\nraise E()")
        self.check("e = ValueError('x')\ne.__notes__ = 7\nraise e")
        self.check(
            cell(
                """
                class M(type):
                    __name__ = property(lambda c: 1 / 0)
                class E(Exception, metaclass=M): pass
                raise E
                """
            )
        )
        self.check(
            cell(
                """
                class M(type):
                    __module__ = property(lambda c: 5)
                class E(Exception, metaclass=M): pass
                raise E
                """
            )
        )

    def test_base_exceptions(self):
        self.check("class B(BaseException): pass\nraise B('base')", "B")
        self.check("raise GeneratorExit", "GeneratorExit")
        call = self.check("raise KeyboardInterrupt", "KeyboardInterrupt")
        self.assertFalse(call.report["interrupted"])
        self.check("raise BaseExceptionGroup('g', [KeyboardInterrupt()])", "BaseExceptionGroup")
        self.check("import asyncio\nraise asyncio.CancelledError", "CancelledError")

    def test_circles_and_long_chains(self):
        self.check(
            cell(
                """
                a, b = ValueError('a'), ValueError('b')
                a.__cause__ = b
                b.__cause__ = a
                raise a
                """
            ),
            "ValueError",
        )
        self.check(
            cell(
                """
                e = None
                for n in range(3000):
                    new = ValueError(n)
                    new.__context__ = e
                    e = new
                raise e
                """
            )
        )

    def test_errors_of_what_is_shown(self):
        call = self.kernel.run("class R:\n    def __repr__(self): raise ValueError('no repr')\nR()")
        self.assertIn("no repr", call.stderr + call.traceback)
        self.assertNotIn("IPython", call.stderr + call.traceback)
        self.assert_alive()

    def test_an_endless_repr_can_be_interrupted(self):
        call = self.kernel.interrupted(
            cell(
                """
                class R:
                    def __repr__(self):
                        print('READY')
                        while True: pass
                R()
                """
            )
        )
        self.assertIn("KeyboardInterrupt", call.traceback + call.stderr)
        self.assert_alive()

    def test_an_endless_message_can_be_interrupted(self):
        code = cell(
            """
            class E(Exception):
                def __str__(self):
                    print('READY')
                    while True: pass
            raise E
            """
        )
        call = self.kernel.send(code)
        result = self.kernel.collect(call, until="READY")
        # The message is asked for more than once; each time is interrupted when it has begun.
        import threading

        stop = threading.Event()

        def again():
            while not stop.wait(0.05):
                self.kernel.interrupt()

        thread = threading.Thread(target=again)
        thread.start()
        try:
            result = self.kernel.collect(call, result=result)
        finally:
            stop.set()
            thread.join()
        self.assertEqual(result.report["ename"], "E")
        self.assert_alive()


class Kinds(KernelCase):
    def test_a_full_disk_is_told(self):
        for name in ("ENOSPC", "EDQUOT", "EFBIG"):
            call = self.run_raised(f"import errno\nraise OSError(errno.{name}, 'full')", "OSError")
            self.assertEqual(call.report["errno"], name)
        code = cell(
            """
            import errno
            try:
                raise OSError(errno.ENOSPC, 'full')
            except OSError as e:
                raise RuntimeError('wrapped') from e
            """
        )
        self.assertEqual(self.run_raised(code).report["errno"], "ENOSPC")
        self.assertIsNone(self.run_raised("open('/nowhere/x')").report["errno"])

    def test_a_file_that_grows_too_large(self):
        code = cell(
            """
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, -1))
            import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            open('big', 'wb').write(bytes(100000))
            """
        )
        self.assertEqual(self.run_raised(code, "OSError").report["errno"], "EFBIG")

    def test_memory_errors_are_told(self):
        self.assertTrue(self.run_raised("bytearray(1 << 60)", "MemoryError").report["memory_error"])
        self.assertFalse(self.run_raised("1 / 0").report["memory_error"])

    def test_warnings_name_the_cell(self):
        call = self.run_ok(
            cell(
                """
                import warnings
                warnings.warn('careful')
                warnings.warn('old', DeprecationWarning)
                """
            )
        )
        self.assertIn("<cell 1>:2: UserWarning: careful\n  warnings.warn('careful')", call.stderr)
        self.assertIn("<cell 1>:3: DeprecationWarning: old", call.stderr)
        again = self.run_ok("import warnings\nwarnings.warn('careful')")
        self.assertIn("<cell 2>:2: UserWarning: careful", again.stderr)
        self.assertIn("SyntaxWarning", self.run_ok("1 is 1").stderr)

    def test_errors_of_threads_are_printed(self):
        call = self.run_ok(
            cell(
                """
                import threading
                t = threading.Thread(target=lambda: 1 / 0)
                t.start(); t.join()
                """
            )
        )
        self.assertIn("ZeroDivisionError", call.stderr)


if __name__ == "__main__":
    unittest.main()
