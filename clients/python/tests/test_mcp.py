"""Every tool, as the official client of MCP calls it: over both transports, in both revisions of the protocol."""

import base64
import unittest

import anyio

from . import agents, kit

# Every parameter, with its default; None where it must be given, `...` where it may be left out.
TOOLS = {
    "execute_code": {"code": None, "language": "python", "output_filename": ""},
    "execute_command": {"command": None},
    "file_operations": {"operation": None, "paths": ..., "content": ...},
    "ci_push_to_workspace": {"paths": ...},
    "workspace_read": {"path": None},
    "workspace_list": {"path": ""},
    "workspace_write": {"path": None, "content": None, "encoding": "text"},
}
# Those that change nothing; every other may replace something that was there.
READS = {"workspace_read", "workspace_list"}

RED_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
)
CHART = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title('three points')"
WAITS = """
import os, time
print('first', flush=True)
end = time.monotonic() + 60
while not os.path.exists('go') and time.monotonic() < end:
    time.sleep(0.02)
print('second', os.path.exists('go'))
"""
GOES_ON = "kept = 41\nprint('started', flush=True)\nwhile True:\n    pass"


class Tools:
    """The tests of one transport and one revision."""

    maxDiff = None
    mode = agents.LEGACY

    def agent(self):
        raise NotImplementedError

    async def test_tools_tell_what_a_model_needs(self):
        async with self.agent() as agent:
            self.assertEqual(agent.client.protocol_version, agents.REVISIONS[self.mode])
            if self.mode == agents.LEGACY:
                self.assertEqual(agent.client.server_info.name, "cellblock")
            listed = {tool.name: tool for tool in (await agent.client.list_tools()).tools}
            self.assertEqual(set(listed), set(TOOLS))
            for name, parameters in TOOLS.items():
                with self.subTest(name):
                    tool = listed[name]
                    schema = tool.input_schema
                    self.assertEqual(set(schema["properties"]), {*parameters, "session_id"})
                    required = {parameter for parameter, default in parameters.items() if default is None}
                    self.assertEqual(set(schema.get("required", [])), required)
                    for parameter, default in parameters.items():
                        told = schema["properties"][parameter]
                        self.assertTrue(told.get("description"), parameter)
                        if isinstance(default, str):
                            self.assertEqual(told.get("default"), default, parameter)
                    self.assertTrue(tool.description)
                    self.assertEqual(tool.output_schema["type"], "object")
                    self.assertEqual(tool.annotations.read_only_hint, name in READS)
                    if name not in READS:
                        self.assertTrue(tool.annotations.destructive_hint)
            # Lists that clients ask for whether or not there is anything in them.
            await agent.client.list_resources()
            await agent.client.list_prompts()

    async def test_every_tool_does_its_work(self):
        async with self.agent() as agent:
            self.assertIn("42", await agent.code("x = 6\nx * 7"))
            self.assertIn("6", await agent.code("print(x)"))
            command = await agent.ok("execute_command", command="echo out; echo err >&2; pwd")
            for part in ("out", "err", "/mnt/workspace"):
                self.assertIn(part, command.text)
            written = await agent.ok(
                "file_operations",
                operation="write",
                content=[{"path": "a.txt", "text": "ä\nb'\\n\n"}, {"path": "in/b.txt", "text": "second"}],
            )
            self.assertIn("a.txt", written.text)
            self.assertIn("in/b.txt", written.text)
            read = await agent.ok("file_operations", operation="read", paths=["a.txt"])
            self.assertIn("ä\nb'\\n\n", read.text)
            self.assertEqual(await agent.code("print(open('a.txt').read() == \"ä\\nb'\\\\n\\n\")"), "True")
            both = await agent.ok("file_operations", operation="read", paths=["a.txt", "in/b.txt"])
            self.assertIn("second", both.text)
            listed = await agent.ok("file_operations", operation="list", paths=["."])
            self.assertIn("a.txt", listed.text)
            self.assertIn("a.txt", (await agent.ok("file_operations", operation="list")).text)
            await agent.ok("file_operations", operation="remove", paths=["a.txt"])
            self.assertNotIn("a.txt", (await agent.ok("file_operations", operation="list", paths=["."])).text)

            pushed = await agent.ok("ci_push_to_workspace", paths=["in/b.txt"])
            self.assertIn("in/b.txt", pushed.text)
            self.assertIn("second", (await agent.ok("workspace_read", path="code-interpreter/in/b.txt")).text)
            await agent.code("open('rest.bin', 'wb').write(bytes(range(256)) * 10)")
            self.assertIn("rest.bin", (await agent.ok("ci_push_to_workspace")).text)
            listed = await agent.ok("workspace_list")
            for part in ("code-interpreter/in/b.txt", "code-interpreter/rest.bin"):
                self.assertIn(part, listed.text)
            sizes = {file["path"]: file["size"] for file in listed.structured["files"]}
            self.assertEqual(sizes["code-interpreter/rest.bin"], 2560)
            below = await agent.ok("workspace_list", path="code-interpreter/in/")
            self.assertIn("b.txt", below.text)
            self.assertNotIn("rest.bin", below.text)

            await agent.ok("workspace_write", path="uploads/given.csv", content="n\n1\n2\n")
            self.assertIn("n\n1\n2\n", (await agent.ok("workspace_read", path="uploads/given.csv")).text)
            self.assertIn("'n\\n1\\n2\\n'", await agent.code("open('given.csv').read()"))

    async def test_results_have_the_shape_that_is_promised(self):
        # The client itself holds what is structured against the tool's schema, if it has listed the tools.
        async with self.agent() as agent:
            await agent.client.list_tools()
            for tool, arguments in [
                ("execute_code", {"code": "print('hello')"}),
                ("execute_code", {"code": "1 / 0"}),
                ("execute_command", {"command": "false"}),
                ("file_operations", {"operation": "list"}),
                ("file_operations", {"operation": "read", "paths": ["nothing"]}),
                ("ci_push_to_workspace", {}),
                ("workspace_write", {"path": "documents/a.txt", "content": "a"}),
                ("workspace_list", {}),
                ("workspace_read", {"path": "documents/a.txt"}),
            ]:
                with self.subTest(tool, **arguments):
                    told = await agent(tool, **arguments)
                    self.assertIsInstance(told.structured, dict, told)

    async def test_pictures_are_pictures(self):
        async with self.agent() as agent:
            chart = await agent.ok("execute_code", code=CHART)
            self.assertEqual([mime for mime, _ in chart.images], ["image/png"], chart)
            width, height = kit.drawn(chart.images[0][1])
            self.assertTrue(500 < width < 700 and 400 < height < 500, (width, height))
            saved = await agent.ok(
                "execute_code", code=CHART + "\nplt.savefig('chart.png', dpi=50)\nplt.close()", output_filename="chart.png"
            )
            self.assertEqual([mime for mime, _ in saved.images], ["image/png"], saved)
            self.assertEqual(kit.drawn(saved.images[0][1]), (320, 240))
            kept = await agent.ok("workspace_read", path="code-interpreter/chart.png")
            self.assertEqual(kept.images, saved.images)
            read = await agent.ok("file_operations", operation="read", paths=["chart.png"])
            self.assertEqual(read.images, saved.images)
            await agent.ok("workspace_write", path="uploads/red.png", content=RED_PNG, encoding="base64")
            red = await agent.ok("workspace_read", path="uploads/red.png")
            self.assertEqual(red.images, [("image/png", base64.b64decode(RED_PNG))])

    async def test_other_files_are_links_that_can_be_read(self):
        async with self.agent() as agent:
            told = await agent.ok(
                "execute_code",
                code="open('made.bin', 'wb').write(bytes(range(256)))\nprint('made it')",
                output_filename="made.bin",
            )
            self.assertIn("made it", told.text)
            self.assertEqual([link.name for link in told.links], ["made.bin"], told)
            (content,) = (await agent.client.read_resource(told.links[0].uri)).contents
            self.assertEqual(base64.b64decode(content.blob), bytes(range(256)))

    async def test_what_fails_is_an_answer(self):
        async with self.agent() as agent:
            await agent.code("kept = 1\nopen('there.csv', 'w').write('x')")
            raised = await agent.fails("execute_code", code="print('before')\nkept / 0")
            self.assertIn("before", raised.text)
            self.assertIn("ZeroDivisionError: division by zero", raised.text)
            wrong = await agent.fails("execute_code", code="print('ran')", output_filename="their.csv")
            self.assertIn("ran", wrong.text)
            self.assertIn("there.csv", wrong.text)
            exited = await agent.fails("execute_command", command="echo why; exit 3")
            self.assertIn("why", exited.text)
            self.assertIn("3", exited.text)
            for arguments in (
                {"operation": "rename", "paths": ["there.csv"]},
                {"operation": "read"},
                {"operation": "write"},
                {"operation": "remove", "paths": ["not-there"]},
            ):
                with self.subTest(**arguments):
                    await agent.fails("file_operations", **arguments)
            missing = await agent.fails("file_operations", operation="read", paths=["there", "there.csv"])
            self.assertIn("there.csv", missing.text)
            gone = await agent.fails("workspace_read", path="code-interpreter/not-there")
            self.assertIn("not-there", gone.text)
            for path in ("../x", "/mnt/workspace/x", "a//b", ""):
                with self.subTest(path):
                    await agent.fails("workspace_write", path=path, content="x")
            await agent.fails("workspace_write", path="a", content="no base64!", encoding="base64")
            await agent.fails("execute_code", code="1", language="cobol")
            # None of it cost the session anything.
            self.assertEqual(await agent.code("print(kept)"), "1")

    async def test_output_streams_as_progress(self):
        async with self.agent() as agent:
            first = anyio.Event()
            steps = []

            async def heard(progress, total, message):
                steps.append(progress)
                if "first" in (message or ""):
                    first.set()

            async def let_go():
                await first.wait()
                await agent.ok("file_operations", operation="write", content=[{"path": "go", "text": ""}])

            async with anyio.create_task_group() as group:
                group.start_soon(let_go)
                with anyio.fail_after(agents.PATIENCE):
                    told = await agent.ok("execute_code", code=WAITS, progress=heard)
            self.assertIn("second True", told.text)
            self.assertEqual(steps, sorted(set(steps)), "progress must grow")

    async def test_a_long_call_is_cancelled(self):
        async with self.agent() as agent:
            started = anyio.Event()

            async def heard(progress, total, message):
                if "started" in (message or ""):
                    started.set()

            async def go_on():
                await agent("execute_code", code=GOES_ON, progress=heard)

            with anyio.fail_after(agents.PATIENCE):
                async with anyio.create_task_group() as group:
                    group.start_soon(go_on)
                    await started.wait()
                    group.cancel_scope.cancel()
                # Interrupted: the interpreter is free again, and what it knew it knows.
                self.assertEqual(await agent.code("print(kept + 1)"), "42")

    async def test_sessions_by_name_share_nothing_but_a_workspace(self):
        async with self.agent() as agent:
            one, other = agents.name(), agents.name()
            await agent.code("mine = 1", session_id=one)
            self.assertEqual(await agent.code("print(mine)", session_id=one), "1")
            raised = await agent.fails("execute_code", code="print(mine)", session_id=other)
            self.assertIn("NameError", raised.text)
            refused = await agent.fails("execute_code", code="1", session_id="not/a name")
            self.assertIn("session_id", refused.text)
            unknown = await agent.fails("execute_code", code="1", session_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")
            self.assertIn("01ARZ3NDEKTSV4RRFFQ69G5FAV", unknown.text)

    async def test_long_text_is_cut_in_the_middle_and_kept(self):
        async with self.agent() as agent:
            told = await agent.ok("execute_code", code="print('begin' + 'x' * 300_000 + 'end')")
            self.assertLess(len(told.text), 110_000)
            self.assertIn("begin", told.text)
            self.assertIn("end", told.text)
            sizes = await agent.code(
                "import os\n[(root, name) for root, _, names in os.walk('.') for name in names"
                " if os.path.getsize(os.path.join(root, name)) >= 300_000]"
            )
            name = eval(sizes)[0][1]
            self.assertIn(name, told.text)


@agents.needs_program
class Stdio(Tools, unittest.IsolatedAsyncioTestCase):
    def agent(self):
        return agents.stdio(self.mode)


class StdioStateless(Stdio):
    mode = agents.STATELESS


class Http(Tools, unittest.IsolatedAsyncioTestCase):
    def agent(self):
        return agents.http(self.mode)


class HttpStateless(Http):
    mode = agents.STATELESS
