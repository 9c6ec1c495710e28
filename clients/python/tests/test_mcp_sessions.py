"""Which session a call of MCP goes to, what becomes of one that ends, and what a server over stdin and stdout leaves."""

import time
import unittest

from . import agents, kit

# The session's own time is up while this runs.
OUTLIVES = "lost = 1\nopen('kept.txt', 'w').write('here')\nwhile True:\n    pass"
SHORT = {"CELLBLOCK_LIMITS_SESSION_SECONDS": "6"}


class Sessions(unittest.IsolatedAsyncioTestCase):
    async def test_a_client_finds_out_what_is_spoken(self):
        async with agents.http("auto") as agent:
            self.assertEqual(agent.client.protocol_version, "2026-07-28")
            self.assertEqual(await agent.code("print(1)"), "1")

    async def test_conversations_over_http_have_sessions_of_their_own(self):
        # Where the protocol knows conversations; without a name, the same conversation is the same session.
        async with agents.http(agents.LEGACY) as one, agents.http(agents.LEGACY) as other:
            one.session = other.session = None
            await one.code("mine = 1")
            self.assertEqual(await one.code("print(mine)"), "1")
            self.assertIn("NameError", (await other.fails("execute_code", code="mine")).text)

    async def test_the_stateless_revision_keeps_a_session_between_requests(self):
        # There are no conversations on the wire: whoever calls without a name has one session.
        async with agents.http(agents.STATELESS) as one:
            one.session = None
            await one.code("ours = 5")
        async with agents.http(agents.STATELESS) as later:
            later.session = None
            self.assertEqual(await later.code("print(ours)"), "5")

    async def test_a_name_is_one_session_for_all_clients_of_a_principal(self):
        async with agents.http(agents.LEGACY) as one, agents.http(agents.STATELESS, session=one.session) as other:
            await one.code("ours = 7")
            self.assertEqual(await other.code("print(ours)"), "7")

    async def test_a_workspace_can_be_named_by_the_address(self):
        workspace = agents.name()
        async with agents.http(agents.LEGACY, query=f"?workspace={workspace}") as one:
            await one.ok("workspace_write", path="uploads/a.txt", content="found")
        async with agents.http(agents.STATELESS, query=f"?workspace={workspace}") as other:
            self.assertEqual(await other.code("print(open('a.txt').read())"), "found")
        async with agents.http(agents.STATELESS, query=f"?workspace={agents.name()}") as stranger:
            self.assertNotIn("a.txt", (await stranger.ok("workspace_list")).text)

    async def test_what_is_uploaded_later_is_there_at_the_next_call(self):
        async with agents.http(agents.STATELESS) as agent:
            await agent.code("open('mine.txt', 'w').write('changed here')")
            await agent.ok("workspace_write", path="uploads/late.txt", content="late")
            await agent.ok("workspace_write", path="uploads/mine.txt", content="uploaded")
            self.assertEqual(await agent.code("print(open('late.txt').read())"), "late")
            self.assertEqual(await agent.code("print(open('mine.txt').read())"), "changed here")

    async def test_what_was_only_brought_is_not_pushed(self):
        async with agents.http(agents.STATELESS) as agent:
            await agent.ok("workspace_write", path="uploads/given.csv", content="n\n1\n")
            await agent.code("made = open('made.csv', 'w').write(open('given.csv').read())")
            pushed = await agent.ok("ci_push_to_workspace")
            self.assertEqual(pushed.structured["files_saved"], ["code-interpreter/made.csv"])
            # A copy would hide what comes later.
            await agent.ok("workspace_write", path="uploads/given.csv", content="n\n2\n")
            self.assertEqual(await agent.code("print(open('given.csv').read())"), "n\n2")

    @agents.needs_program
    async def test_a_session_that_ended_is_replaced_and_that_is_said(self):
        with agents.served(**SHORT) as url:
            for mode in (agents.LEGACY, agents.STATELESS):
                with self.subTest(mode):
                    async with agents.http(mode, url=url) as agent:
                        await self.replaced(agent)

    @agents.needs_program
    async def test_so_it_is_over_stdin_and_stdout(self):
        for mode in (agents.LEGACY, agents.STATELESS):
            with self.subTest(mode):
                async with agents.stdio(mode, settings=SHORT) as agent:
                    await self.replaced(agent)

    async def replaced(self, agent):
        ended = await agent.fails("execute_code", code=OUTLIVES)
        self.assertRegex(ended.text, r"session")
        told = await agent.fails("execute_code", code="print(open('kept.txt').read())\nlost")
        self.assertIn("here", told.text)
        self.assertIn("NameError", told.text)
        self.assertRegex(told.text, r"(?is)variables.*files|files.*variables")
        # Once is enough.
        again = await agent.ok("execute_code", code="print('quiet')")
        self.assertEqual(again.text, "quiet")


@agents.needs_program
class Process(unittest.IsolatedAsyncioTestCase):
    async def test_it_is_ready_at_once(self):
        # A debug build on a busy machine; the promise itself is measured elsewhere.
        begun = time.monotonic()
        async with agents.stdio(agents.LEGACY) as agent:
            await agent.client.list_tools()
            self.assertLess(time.monotonic() - begun, 5)

    async def test_files_outlive_the_process(self):
        with agents.data() as place:
            async with agents.stdio(agents.LEGACY, place=place) as agent:
                self.assertEqual((await agent.ok("execute_code", code="open('a.txt', 'w').close()")).text, "(no output)")
                await agent.code("open('a.txt', 'w').write('kept')")
            async with agents.stdio(agents.STATELESS, place=place) as agent:
                self.assertEqual(await agent.code("print(open('a.txt').read())"), "kept")

    async def test_two_processes_on_one_data_directory(self):
        with agents.data() as place:
            async with agents.stdio(agents.LEGACY, place=place) as one:
                async with agents.stdio(agents.STATELESS, place=place) as other:
                    await one.code("mine = 1")
                    self.assertIn("NameError", (await other.fails("execute_code", code="mine")).text)
                    await one.ok("workspace_write", path="uploads/a.txt", content="shared")
                    self.assertEqual(await other.code("print(open('a.txt').read())"), "shared")

    async def test_it_carries_calls_to_a_server_that_runs(self):
        session = agents.name()
        async with agents.http(agents.STATELESS, session=session) as beside:
            for mode in (agents.LEGACY, agents.STATELESS):
                with self.subTest(mode):
                    async with agents.bridge(mode, f"{kit.URL}/mcp", session) as agent:
                        await agent.code(f"carried = {mode!r}")
                        self.assertEqual(await beside.code("print(carried)"), mode)
