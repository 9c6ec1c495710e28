"""What would ask somebody at a terminal."""

from harness import RUNTIME, KernelCase

NOBODY = "has nobody to ask: this code runs without a terminal. Put the value into the code, or read it from a file."


class Refusals(KernelCase):
    def test_questions_of_readline(self) -> None:
        for code in (
            """
            import { createInterface } from 'node:readline/promises'
            import { stdin as input, stdout as output } from 'node:process'
            const line = createInterface({ input, output })
            const name = await line.question('Your name? ')
            """,
            """
            const asked = require('readline').promises.createInterface({ input: process.stdin })
            asked.question('Your name? ').then(console.log, error => { throw error })
            """,
            """
            import readline from 'readline'
            const old = readline.createInterface({ input: process.stdin, output: process.stdout })
            old.question('Your name? ', name => console.log(name))
            """,
            """
            const again = require('readline').createInterface({ input: process.stdin })
            await require('util').promisify(again.question).call(again, 'Your name? ')
            """,
        ):
            with self.subTest(code=code):
                call = self.run_raised(code, "Error")
                self.assertEqual(call.report["evalue"], f"readline's question() {NOBODY}")
                self.assertNotIn("cellblock_kernel_js", call.traceback)
        self.assertIn("line.question('Your name? ')\n", self.run_raised("1\nawait line.question('Your name? ')").traceback)

    def test_what_asks_nobody_works(self) -> None:
        self.assertEqual(
            self.value(
                """
                const { createInterface } = require('readline/promises')
                const { PassThrough } = require('stream')
                const input = new PassThrough()
                const line = createInterface({ input, output: new PassThrough() })
                setTimeout(() => input.write('Ada\\n'), 0)
                process.stdin.fd + await line.question('Your name? ')
                """
            ),
            "'0Ada'",
        )
        self.assertEqual(
            self.value("let lines = 0; for await (const line of createInterface({ input: process.stdin })) lines += 1; lines"), "0"
        )
        self.assertEqual(self.value("let text = ''; for await (const part of process.stdin) text += part; text"), "''")

    def test_dialogs_of_the_web(self) -> None:
        if RUNTIME == "node":
            self.run_raised("prompt('Your name?')", "ReferenceError")
            return
        call = self.run_ok("[prompt('Your name?'), confirm('Sure?')]")
        self.assertEqual(call.value, "[ null, false ]")
        self.assertEqual(call.stderr, f"prompt() {NOBODY} Its answer is null.\nconfirm() {NOBODY} Its answer is false.\n")
        self.assertEqual(self.value("const prompt = () => 'Ada'; prompt()"), "'Ada'")
