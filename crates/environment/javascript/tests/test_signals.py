"""Signals that code sends to its own process, or to all."""

from harness import KernelCase, only_node


class Signals(KernelCase):
    def test_what_does_nothing_to_the_process_does_nothing_to_the_session(self) -> None:
        self.run_ok("var kept = 1")
        for number, name in enumerate(["SIGWINCH", "SIGCHLD", "SIGURG", "SIGCONT", "SIGPIPE"]):
            with self.subTest(name):
                self.assertEqual(self.value(f"process.kill(process.pid, '{name}'); kept += 1"), str(number + 2))

    def test_a_signal_to_all_others_spares_who_sends_it(self) -> None:
        # Nobody minds this one.
        for whom in ("-1", "0"):
            with self.subTest(whom):
                self.assertEqual(self.value(f"process.kill({whom}, 'SIGURG')"), "true")
                self.assert_alive()
        self.assertIn("ESRCH", self.run_raised("process.kill(-process.pid, 'SIGTERM')").traceback)
        self.assert_alive()

    def test_a_signal_to_a_group_reaches_all_of_it(self) -> None:
        self.run_ok(
            "var child = require('child_process').spawn('sleep', ['1000'], { detached: true });"
            "var ended = new Promise(r => child.on('exit', (status, signal) => r(signal)))"
        )
        self.assertEqual(self.value("process.kill(-child.pid, 'SIGKILL'); ended"), "'SIGKILL'")

    def test_listeners_of_the_users_own_are_called(self) -> None:
        for name in ("SIGWINCH", "SIGUSR1", "SIGTERM"):
            with self.subTest(name):
                code = f"await new Promise(r => {{ process.once('{name}', r); process.kill(process.pid, '{name}') }}); console.log('heard')"
                self.assertEqual(self.run_ok(code).stdout, "heard\n")
        self.assert_alive()

    def test_a_signal_that_ends_processes_ends_this_one(self) -> None:
        self.kernel.send("process.kill(process.pid)")
        self.assertEqual(self.kernel.process.wait(20), -15)

    @only_node
    def test_no_signal_opens_the_inspector(self) -> None:
        for before in ("0", "process.removeAllListeners('SIGUSR1')", "process.removeAllListeners()"):
            with self.subTest(before):
                self.run_ok(before)
                call = self.run_ok("process.kill(process.pid, 'SIGUSR1'); await new Promise(r => setTimeout(r, 50)); require('inspector').url()")
                self.assertEqual((call.everything, call.value), ("", None))
        self.assert_alive()
