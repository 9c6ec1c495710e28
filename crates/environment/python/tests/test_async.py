"""Top-level `await`: one loop for the session."""

import unittest

from harness import KernelCase, cell


class Await(KernelCase):
    def test_a_cell_can_await(self):
        call = self.run_ok("import asyncio\nawait asyncio.sleep(0)\nawait asyncio.sleep(0, 'value')")
        self.assertEqual(call.value, "'value'")
        self.assertEqual(self.run_ok("x = await asyncio.sleep(0, 5)\nx").value, "5")

    def test_async_statements_at_the_top(self):
        code = cell(
            """
            import contextlib
            @contextlib.asynccontextmanager
            async def manager():
                yield 3
            async def numbers():
                for n in range(3): yield n
            async with manager() as m: pass
            async for n in numbers(): pass
            [k async for k in numbers()] + [m, n]
            """
        )
        self.assertEqual(self.run_ok(code).value, "[0, 1, 2, 3, 2]")

    def test_the_loop_is_the_same_in_every_call(self):
        self.run_ok(
            cell(
                """
                import asyncio
                first = asyncio.get_running_loop() if False else None
                await asyncio.sleep(0)
                first = asyncio.get_running_loop()
                """
            )
        )
        self.assertEqual(
            self.run_ok(
                cell(
                    """
                    await asyncio.sleep(0)
                    first is asyncio.get_running_loop()
                    """
                )
            ).value,
            "True",
        )
        self.run_ok("asyncio.run(asyncio.sleep(0))")
        self.assertEqual(self.run_ok("asyncio.get_event_loop() is first  # asyncio").value, "True")

    def test_tasks_go_on_in_later_calls(self):
        self.run_ok(
            cell(
                """
                import asyncio
                seen = []
                async def work():
                    for n in range(9):
                        seen.append(n)
                        await asyncio.sleep(0)
                """
            )
        )
        self.run_ok("task = asyncio.create_task(work())\nawait asyncio.sleep(0)")
        self.assertLess(len(eval(self.run_ok("seen").value)), 9)
        self.assertEqual(self.run_ok("await task\nseen").value, str(list(range(9))))

    def test_asyncio_run_works_in_a_plain_cell(self):
        self.assertEqual(
            self.run_ok(
                cell(
                    """
                    import asyncio
                    async def main():
                        await asyncio.sleep(0)
                        return 9
                    asyncio.run(main())
                    """
                )
            ).value,
            "9",
        )
        self.assertEqual(self.run_ok("asyncio.get_event_loop().run_until_complete(main())").value, "9")

    def test_errors_show_the_users_frames_only(self):
        code = "import asyncio\nasync def inner():\n    await asyncio.sleep(0)\n    1 / 0\nawait inner()"
        call = self.run_raised(code, "ZeroDivisionError")
        files = [line.split('"')[1] for line in call.traceback.splitlines() if line.startswith("  File")]
        self.assertEqual(files, ["<cell 1>", "<cell 1>"], call.traceback)

    def test_an_interrupt_stops_what_is_awaited(self):
        self.run_ok(
            cell(
                """
                import asyncio
                async def wait():
                    try:
                        asyncio.get_running_loop().call_later(0, print, 'READY')
                        await asyncio.sleep(100)
                    finally:
                        print('cleaned')
                """
            )
        )
        call = self.kernel.interrupted("x = 1\nawait wait()")
        self.assertEqual(call.report["ename"], "KeyboardInterrupt", call.traceback)
        self.assertTrue(call.report["interrupted"])
        self.assertIn("cleaned", call.stdout)
        self.assertIn("await asyncio.sleep(100)", call.traceback)
        self.assertEqual(self.run_ok("await asyncio.sleep(0, x)").value, "1")

    def test_an_interrupt_stops_a_busy_coroutine(self):
        call = self.kernel.interrupted(
            cell(
                """
                import asyncio
                async def busy():
                    print('READY')
                    while True: pass
                await busy()
                """
            )
        )
        self.assertTrue(call.report["interrupted"])
        self.assertEqual(self.run_ok("await asyncio.sleep(0, 2)").value, "2")

    def test_an_interrupt_stops_asyncio_run(self):
        call = self.kernel.interrupted(
            cell(
                """
                import asyncio
                async def main():
                    print('READY')
                    await asyncio.sleep(100)
                asyncio.run(main())
                """
            )
        )
        self.assertTrue(call.report["interrupted"], call.report)
        self.assert_alive()

    def test_exit_from_a_coroutine(self):
        call = self.kernel.run("import sys, asyncio\nasync def leave():\n    sys.exit(5)\nawait leave()")
        self.assertEqual((call.status, call.report["exit_status"]), ("exited", 5))
        self.assertEqual(self.kernel.process.wait(10), 5)

    def test_a_loop_that_was_closed_is_replaced(self):
        self.run_ok("import asyncio\nawait asyncio.sleep(0)")
        self.run_ok("asyncio.get_event_loop().close()")
        self.run_ok("await asyncio.sleep(0)")


if __name__ == "__main__":
    unittest.main()
