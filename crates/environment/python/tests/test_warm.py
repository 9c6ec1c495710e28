"""Kernels forked from a warm interpreter: quick, alike, and strangers to each other."""

import json
import os
import signal
import socket
import subprocess
import unittest
from pathlib import Path

from harness import HAS_IPYTHON, PYTHON, SOURCES, Kernel, KernelProcess, cell, has

LEVEL = "data" if has("pandas") and has("matplotlib") else "bare"
if LEVEL == "bare":
    print("SKIPPED, LOUDLY: no pandas or matplotlib; the warm set `data` is not tested")


class Forked(KernelProcess):
    """A kernel that a forkserver forked."""

    def __init__(self, control: socket.socket, replies, env: dict[str, str] | None = None) -> None:
        self.control, self.replies = control, replies
        super().__init__(env or {})

    def start(self, theirs: socket.socket, out: int, err: int, env: dict[str, str]) -> None:
        order = json.dumps({"env": {"PATH": "/usr/bin:/bin", **env}, "cwd": str(self.work)}).encode()
        socket.send_fds(self.control, [order], [theirs.fileno(), out, err])
        self.pid = int(self.replies.readline())

    def wait(self) -> None:
        """It is the forkserver's child, which waits for it."""

    def interrupt(self, call: bytes = b"") -> None:
        os.kill(self.pid, signal.SIGINT)


@unittest.skipUnless(HAS_IPYTHON, f"{PYTHON} has no IPython")
class Warm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.control, theirs = socket.socketpair()
        fd = theirs.fileno()
        argv = [PYTHON, str(Path(__file__).with_name("forker.py")), str(SOURCES), LEVEL, str(fd)]
        cls.server = subprocess.Popen(argv, pass_fds=[fd], stdin=subprocess.DEVNULL)
        theirs.close()
        cls.replies = cls.control.makefile()
        cls.left = json.loads(cls.replies.readline())

    @classmethod
    def tearDownClass(cls):
        cls.replies.close()
        cls.control.close()
        cls.server.wait(30)

    def fork(self, **env: str) -> Forked:
        kernel = Forked(self.control, self.replies, env)
        self.addCleanup(kernel.close)
        return kernel

    def value(self, code: str) -> str:
        call = self.fork().run(code)
        self.assertEqual(call.status, "ok", call.traceback)
        return call.value

    def test_nothing_is_left_running(self):
        self.assertEqual((self.left["threads"], self.left["descriptors"]), (1, []))

    def test_a_forked_kernel_starts_like_a_cold_one(self):
        code = "sorted(n for n in globals()), __name__, In, Out, _, __"
        cold = Kernel()
        self.addCleanup(cold.close)
        expected = cold.run(code)
        self.assertEqual(self.value(code), expected.value)
        self.assertEqual(expected.report["execution_count"], 1)
        self.assertEqual(self.value("%who"), None)
        self.assertEqual(
            self.value(
                cell(
                    """
                    import sys, os
                    sys.argv, sys.path[0], os.path.basename(os.getcwd()), _dh == [os.getcwd()]
                    """
                )
            ),
            "([''], '', 'work', True)",
        )
        self.assertEqual(
            self.value(
                "import sys; hasattr(sys, 'last_value'), sys.modules['__main__'].__dict__ is globals()"
            ),
            "(False, True)",
        )

    def test_every_kind_of_call(self):
        kernel = self.fork()
        self.assertEqual(kernel.run("1 + 1").value, "2")
        self.assertIn("<cell 2>", kernel.run("1 / 0").traceback)
        self.assertEqual(kernel.run("!echo hi").raw[1], b"hi\n")
        self.assertEqual(kernel.run("import asyncio\nawait asyncio.sleep(0, 3)").value, "3")
        self.assertEqual(kernel.run("_").value, "3")
        self.assertTrue(kernel.interrupted("print('READY')\nwhile True: pass").report["interrupted"])
        call = kernel.run("print('last')\nexit(3)")
        self.assertEqual((call.stdout, call.report["exit_status"]), ("last\n", 3))

    def test_descriptors(self):
        self.assertEqual(self.value("import os\nlen(os.listdir('/proc/self/fd'))"), "5")

    def test_sessions_share_no_randomness(self):
        code = cell(
            """
            import random, uuid, tempfile, secrets, ssl, os
            values = [random.random(), str(uuid.uuid4()), str(uuid.uuid1()), tempfile.mktemp()]
            values += [secrets.token_hex(), ssl.RAND_bytes(8).hex(), os.urandom(8).hex()]
            import multiprocessing
            values.append(multiprocessing.current_process().authkey.hex())
            from multiprocessing.synchronize import SemLock
            values.append(SemLock._make_name())
            try:
                import numpy as np
                values += [np.random.rand(), np.random.default_rng().random()]
            except ImportError: pass
            values
            """
        )
        seen = [eval(self.value(code), {"np": None}) for _ in range(4)]
        for number, values in enumerate(zip(*seen, strict=True)):
            self.assertEqual(len(set(values)), len(seen), (number, values))

    def test_sessions_share_nothing_else(self):
        first, second = self.fork(), self.fork()
        first.run("x = 1\nimport sys; sys.planted = 2")
        self.assertEqual(
            second.run("import sys; 'x' in globals(), hasattr(sys, 'planted')").value, "(False, False)"
        )

    @unittest.skipIf(LEVEL == "bare", "no numpy")
    def test_thread_pools_are_as_large_as_the_cell(self):
        code = cell(
            """
            import numpy as np, os
            a = np.random.rand(600, 600)
            (a @ a).sum()
            len(os.listdir('/proc/self/task')), os.environ['OMP_NUM_THREADS']
            """
        )
        for count in ("1", "2", "3"):
            value = self.fork(OMP_NUM_THREADS=count).run(code).value
            self.assertEqual(value, f"({count}, '{count}')")

    @unittest.skipIf(LEVEL == "bare", "no pandas")
    def test_data(self):
        kernel = self.fork()
        call = kernel.run("import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\ndf.describe()")
        self.assertIn("<table", call.result["data"]["text/html"])
        self.assertNotIn("modules", call.report)
        call = kernel.run("import matplotlib.pyplot as plt\ndf.plot(title='$x^2$');")
        self.assertEqual(len(call.images), 1)
        self.assertEqual(kernel.run("plt.plot([1])\nplt.show()").status, "ok")
        folder = kernel.run("import matplotlib\nmatplotlib.get_cachedir()").value
        self.assertTrue(folder.startswith(f"'{kernel.home}"), folder)

    def test_a_collection_touches_only_the_sessions_objects(self):
        self.assertGreater(int(self.value("import gc\ngc.get_freeze_count()")), 10_000)
        self.assertEqual(self.value("gc = __import__('gc'); gc.isenabled()"), "True")


if __name__ == "__main__":
    unittest.main()
