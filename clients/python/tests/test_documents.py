"""Plays the skills' documents through MCP: every example, pattern, rule and mistake, as they stand there.

A rule or a mistake that is in a document and has no test here fails, and so does a test whose sentence is gone.
"""

import ast
import asyncio
import json
import pathlib
import re
import unittest

from skills_ref import validate

from . import agents, documents, kit

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
# Answers one request on 127.0.0.1 of the cell, where the pattern's own server is out of reach.
WEB = """
import http.server, threading
class Prices(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'[{"price": 3}, {"price": 4}]')
web = http.server.HTTPServer(('127.0.0.1', 0), Prices)
threading.Thread(target=web.serve_forever, daemon=True).start()
print(web.server_port)
"""
INSTALLED = """
import importlib.metadata, json
print(json.dumps([found.metadata['Name'].lower().replace('_', '-') for found in importlib.metadata.distributions()]))
"""


class Played(unittest.IsolatedAsyncioTestCase):
    """What both documents have in common."""

    maxDiff = None
    document = None
    rules = {}
    mistakes = {}

    def agent(self):
        return agents.http(agents.STATELESS, query=f"?workspace={agents.name()}")

    def test_it_keeps_the_specification(self):
        self.assertEqual(validate(agents.SKILLS / self.document.name), [])
        self.assertLess(len(self.document.text.splitlines()), 500)

    async def test_tools_and_parameters_are_those_of_the_server(self):
        async with self.agent() as agent:
            for tool in (await agent.client.list_tools()).tools:
                if f"`{tool.name}(" not in self.document.text:
                    continue
                (told,) = [row[0] for row in documents.rows(self.document.text) if row[0].startswith(f"`{tool.name}(")]
                names = [part.partition("=") for part in told.partition("(")[2].rstrip(")`").split(", ")]
                schema = tool.input_schema
                with self.subTest(tool.name):
                    self.assertEqual({name for name, *_ in names} | {"session_id"}, set(schema["properties"]))
                    for name, has, default in names:
                        if has:
                            self.assertEqual(schema["properties"][name].get("default"), ast.literal_eval(default), name)

    async def test_examples(self):
        # One session for all: an example reads what an earlier one has written.
        async with self.agent() as agent:
            for title, calls in self.document.examples():
                with self.subTest(title):
                    self.assertTrue(calls)
                    await self.play(agent, calls)

    async def test_patterns(self):
        for title, calls in self.document.patterns():
            with self.subTest(title):
                self.assertTrue(calls)
                async with self.agent() as agent:
                    await self.play(agent, calls)

    async def play(self, agent, calls):
        for call in calls:
            needed = call.words.get("needs")
            if needed and await agent.code(f"import importlib.util\nimportlib.util.find_spec({needed!r}) is None") == "True":
                self.skipTest(f"SKIPPED: only the environment `full` has {needed}")
            arguments = dict(call.arguments)
            if "network" in call.words:
                port = await agent.code(WEB)
                arguments["code"] = arguments["code"].replace("https://api.example.org/", f"http://127.0.0.1:{port}/")
            told = await agent.ok(call.tool, **arguments)
            if call.expected is not None:
                where = f"{self.document.name}, line {call.line}"
                self.assertTrue(documents.says(told.text, call.expected), f"{where}:\n{told.text}")
            if "plt." in arguments.get("code", ""):
                self.assertTrue(told.images, told)
                for mime, image in told.images:
                    self.assertEqual(mime, "image/png")
                    kit.drawn(image)
            if arguments.get("path", "").endswith((".png", ".gif")) and call.tool == "workspace_read":
                self.assertTrue(told.images, told)
            kept = arguments.get("output_filename")
            if kept:
                listed = await agent.ok("workspace_list", path="code-interpreter/")
                self.assertIn(kept, listed.text)

    async def test_rules(self):
        self.assertEqual(set(self.document.rules()), set(self.rules))
        for rule, check in self.rules.items():
            with self.subTest(rule):
                async with self.agent() as agent:
                    await check(self, agent)

    async def test_mistakes(self):
        self.assertEqual(set(self.document.mistakes()), set(self.mistakes))
        for mistake, check in self.mistakes.items():
            with self.subTest(mistake):
                async with self.agent() as agent:
                    await check(self, agent)


def load_tests(loader, tests, pattern):
    # `Played` itself plays nothing.
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (Interpreter, Workspace))


class Interpreter(Played):
    document = documents.Document("code-interpreter")

    async def only_the_last_value(self, agent):
        self.assertEqual(await agent.code("'first'\n'last'"), "'last'")

    async def very_name(self, agent):
        told = await agent.ok("execute_code", code="open('a.csv', 'w').write('n\\n1\\n')", output_filename="a.csv")
        self.assertIn("a.csv", told.text)
        told = await agent.fails("execute_code", code="print('ran')", output_filename="A.csv")
        self.assertIn("a.csv", told.text)

    async def keep(self, agent):
        await agent.code("for name in 'abc': open(name, 'w').write(name)", output_filename="a")
        await agent.ok("ci_push_to_workspace", paths=["b"])
        for name in "ab":
            self.assertEqual((await agent.ok("workspace_read", path=f"code-interpreter/{name}")).text, name)
        await agent.fails("workspace_read", path="code-interpreter/c")
        if agents.PROGRAM:
            with agents.data() as place:
                async with agents.stdio(agents.LEGACY, place=place) as first:
                    await first.code("open('end', 'w').write('kept at the end')")
                async with agents.stdio(agents.LEGACY, place=place) as second:
                    told = await second.ok("workspace_read", path="code-interpreter/end")
                    self.assertEqual(told.text, "kept at the end")

    async def build_on(self, agent):
        await agent.code("import math\nx = math.pi\nopen('f', 'w').write('file')")
        self.assertEqual(await agent.code("print(math.floor(x), open('f').read())"), "3 file")

    async def can_end(self, agent):
        if not agents.PROGRAM:
            self.skipTest("SKIPPED: CELLBLOCK_PROGRAM does not name the program")
        async with agents.stdio(agents.LEGACY, settings={"CELLBLOCK_LIMITS_SESSION_SECONDS": "6"}) as short:
            await short.fails("execute_code", code="x = 1\nopen('f', 'w').write('file')\nwhile True: pass")
            told = await short.ok("execute_code", code="print(open('f').read(), 'x' in globals())")
            self.assertIn("file False", told.text)
            self.assertIn("variables", told.text)

    async def shells(self, agent):
        told = await agent.ok("execute_command", command="cd /tmp && pwd")
        self.assertEqual(told.text, "/tmp")
        self.assertEqual((await agent.ok("execute_command", command="pwd")).text, "/mnt/workspace")

    async def answers(self, agent):
        told = await agent.fails("execute_code", code="x = 1\nprint('so far')\nx.nothing")
        self.assertIn("so far", told.text)
        self.assertIn("AttributeError", told.text)
        self.assertEqual(await agent.code("print(x)"), "1")

    async def nobody(self, agent):
        async with asyncio.timeout(30):
            told = await agent.fails("execute_code", code="name = input('name? ')")
            asked = await agent.fails("execute_code", code="prompt('name? ')", language="javascript")
        self.assertIn("input", told.text)
        self.assertIn("Nobody can type", asked.text)

    async def long(self, agent):
        told = await agent.ok("execute_code", code="for n in range(60_000): print('line', n)")
        self.assertLess(len(told.text), 101_000)
        self.assertIn("line 0\n", told.text)
        self.assertIn("line 59999", told.text)
        names = [word.strip("`.,;:()") for word in told.text.split() if "/" in word or ".txt" in word or ".log" in word]
        self.assertTrue(names, told.text[49_000:52_000])
        lines = await agent.ok("execute_command", command=f"grep -c '^line' {names[0]}")
        self.assertEqual(lines.text, "60000")

    async def no_network(self, agent):
        # The pattern of the document as it stands there, in a session as everybody has it.
        (call,) = dict(self.document.patterns())["From the web, where the session has a network"]
        async with agents.stdio(agents.LEGACY) as plain, asyncio.timeout(60):
            told = await plain.fails(call.tool, **call.arguments)
            self.assertIn("ConnectionError", told.text)
            self.assertIn("session has no network", told.text)

    rules = {
        "Print what you want to know": only_the_last_value,
        "`output_filename` is the very name that the code writes": very_name,
        "Keep what the user shall have": keep,
        "Build on earlier calls": build_on,
        "A session can end": can_end,
        "Shell work belongs in `execute_command`": shells,
        "Errors are answers": answers,
        "Nobody is at the keyboard": nobody,
        "Long output is cut in the middle": long,
        "Without a network nothing is fetched": no_network,
    }

    async def other_file(self, agent):
        told = await agent.fails(
            "execute_code", code="open('chart.svg', 'w').write('<svg/>')\nprint('drawn')", output_filename="chart.png"
        )
        for part in ("drawn", "chart.svg", "chart.png"):
            self.assertIn(part, told.text)

    async def other_language(self, agent):
        for given, meant, code in (
            ("python", "javascript", "const x = 1;"),
            ("javascript", "python", "def f(x):\n    return x"),
            ("javascript", "typescript", "const n: number = 1;"),
            ("typescript", "python", "import pandas as pd"),
        ):
            told = await agent.fails("execute_code", code=code, language=given)
            self.assertIn(f'language="{meant}"', told.text)

    async def types(self, agent):
        await agent.code("let n = 1", language="typescript")
        told = await agent.fails("execute_code", code="n = 2\nconst text: string = n", language="typescript")
        self.assertIn("TypeScriptError", told.structured["error"]["name"])
        self.assertIn("Nothing has run", told.text)
        self.assertEqual(await agent.code("n", language="javascript"), "1")

    async def ends(self, agent):
        await agent.code("const n = 1", language="javascript")
        told = await agent.fails("execute_code", code="process.exit(1)", language="javascript")
        self.assertEqual(told.structured["variables"], "lost")
        self.assertIn("process.exit()", told.text)
        self.assertEqual(await agent.code("typeof n", language="javascript"), "'undefined'")

    async def unawaited(self, agent):
        told = await agent.fails("execute_code", code="Promise.reject(new Error('lost'))\n6 * 7", language="javascript")
        for part in ("42", "Error: lost", "Nobody handled this rejection", "`await`"):
            self.assertIn(part, told.text)
        self.assertEqual(told.structured["variables"], "kept")

    async def of_python(self, agent):
        await agent.code("x = 1")
        await agent.code("const y = 1", language="javascript")
        self.assertIn("ReferenceError", (await agent.fails("execute_code", code="x", language="javascript")).text)
        self.assertIn("NameError", (await agent.fails("execute_code", code="y")).text)
        await agent.code("open('x', 'w').write(str(x))")
        self.assertEqual(await agent.code("fs.readFileSync('x', 'utf8')", language="javascript"), "'1'")

    async def operation(self, agent):
        told = await agent.fails("file_operations", operation="rename", paths=["a"])
        for part in ("read", "write", "list", "remove"):
            self.assertIn(part, told.text)

    async def halves(self, agent):
        self.assertIn("content", (await agent.fails("file_operations", operation="write", paths=["a"])).text)
        self.assertIn("paths", (await agent.fails("file_operations", operation="read")).text)

    async def not_there(self, agent):
        await agent.ok("file_operations", operation="write", content=[{"path": "real.txt", "text": "words"}])
        told = await agent.fails("file_operations", operation="read", paths=["reel.txt", "real.txt"])
        for part in ("reel.txt", "words", "real.txt"):
            self.assertIn(part, told.text)

    async def binary(self, agent):
        told = await agent.fails("file_operations", operation="write", content=[{"path": "a.png", "text": PNG}])
        for part in ("execute_code", "workspace_write", "base64"):
            self.assertIn(part, told.text)
        await agent.ok("workspace_write", path="uploads/b.png", content=PNG, encoding="base64")
        self.assertEqual(await agent.code("print(open('b.png', 'rb').read(4))"), r"b'\x89PNG'")

    async def not_installed(self, agent):
        self.assertIn("ModuleNotFoundError", (await agent.fails("execute_code", code="import nosuchlibrary")).text)

    async def other_session(self, agent):
        await agent.code("x = 1")
        told = await agent.fails("execute_code", code="x", session_id=agents.name())
        self.assertIn("NameError", told.text)

    async def pip(self, agent):
        async with agents.stdio(agents.LEGACY) as plain, asyncio.timeout(60):
            told = await plain.fails("execute_command", command="pip install yfinance")
            self.assertIn("session has no network", told.text)

    async def background(self, agent):
        await agent.ok("execute_command", command="sleep 1000 & echo $! > pid; exit 0")
        alive = "test -d /proc/$(cat pid) && grep -q sleep /proc/$(cat pid)/comm && echo alive || echo ended"
        self.assertEqual((await agent.ok("execute_command", command=alive)).text, "ended")
        await agent.code("import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\nopen('pid', 'w').write(str(child.pid))")
        self.assertEqual((await agent.ok("execute_command", command=alive)).text, "alive")

    async def habits(self, agent):
        code = "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()"
        told = await agent.ok("execute_code", code=code)
        self.assertEqual(len(told.images), 1, told)
        kit.drawn(told.images[0][1])

    mistakes = {
        "`output_filename` names what the code did not write": other_file,
        "code in another language than `language` says": other_language,
        "types that do not fit, in TypeScript": types,
        "`process.exit()` in JavaScript": ends,
        "a promise in JavaScript that nobody awaits": unawaited,
        "a variable of Python in JavaScript, or the other way round": of_python,
        'an `operation` that there is not, as `"rename"`': operation,
        "`write` without `content`, or `read` without `paths`": halves,
        "reading a file that is not there": not_there,
        "writing a picture, or another binary file, with `file_operations`": binary,
        "`import` of what the environment has not": not_installed,
        "a variable of another `session_id`": other_session,
        "`pip install` or a request without a network": pip,
        "a server in the background of `execute_command`": background,
        '`matplotlib.use("Agg")`, `plt.show()`': habits,
    }

    async def test_libraries(self):
        """What the table names is installed, and what stands under `full` is in its lock."""
        (section,) = self.document.sections("Libraries")
        page = (pathlib.Path(agents.SKILLS).parent / "docs/libraries.md").read_text().lower()
        both, full = set(), set()
        for _, lean, more in documents.rows(section.text):
            both |= set(filter(None, lean.split(", ")))
            full |= set(filter(None, more.split(", ")))
        small, _, large = page.partition("## `full`")
        for wanted, locked in ((both, small), (full, large)):
            for name in wanted:
                self.assertIn(f" {name.lower()} ", locked.replace("\n", " "), name)
        javascript = re.search(r"the same in both: ([^.]*)\.", section.text)[1].replace("\n", " ").split(", ")
        async with self.agent() as agent:
            for name in javascript:
                kind = await agent.code(f"typeof require({name!r})", language="javascript")
                self.assertIn(kind, ("'object'", "'function'"), name)
            have = json.loads(await agent.code(INSTALLED))
            missing = {name for name in both | full if name.lower() not in have}
            self.assertFalse(missing & both)
            if "torch" in missing:
                self.skipTest("SKIPPED: only the environment `full` has what stands in the last column")
            self.assertFalse(missing)


class Workspace(Played):
    document = documents.Document("workspace")

    async def names_are_exact(self, agent):
        await agent.ok("workspace_write", path="uploads/Data.csv", content="n\n")
        told = await agent.fails("workspace_read", path="uploads/data.csv")
        self.assertIn("uploads/Data.csv", told.text)

    async def replaces(self, agent):
        await agent.ok("workspace_write", path="documents/a", content="a long text")
        await agent.ok("workspace_write", path="documents/a", content="short")
        self.assertEqual((await agent.ok("workspace_read", path="documents/a")).text, "short")

    async def no_mixture(self, agent):
        texts = {letter: letter * 200_000 for letter in "abcd"}
        await agent.ok("workspace_write", path="documents/a", content=texts["a"])
        writes = [agent.ok("workspace_write", path="documents/a", content=text) for text in texts.values()]
        reads = [agent.code("print(1)")] + [agent.ok("workspace_read", path="documents/a") for _ in range(4)]
        await asyncio.gather(*writes, *reads)
        # Long texts are cut, so the file is looked at by its size and letters.
        told = await agent.ok("workspace_read", path="documents/a")
        self.assertEqual(len({letter for letter in told.text[:1000]}), 1)
        (listed,) = (await agent.ok("workspace_list", path="documents/")).structured["files"]
        self.assertEqual(listed["size"], 200_000)

    async def not_overwritten(self, agent):
        await agent.ok("workspace_write", path="uploads/a.txt", content="first")
        await agent.code("open('a.txt', 'w').write('changed')")
        await agent.ok("workspace_write", path="uploads/a.txt", content="second")
        self.assertEqual(await agent.code("print(open('a.txt').read())"), "changed")

    async def own_files(self, agent):
        await agent.ok("workspace_write", path="uploads/a.csv", content="n\n" + "1\n" * 1000)
        self.assertEqual(await agent.code("import pandas as pd\nprint(pd.read_csv('a.csv')['n'].sum())"), "1000")

    rules = {
        "List before you read": names_are_exact,
        "A write replaces the whole file": replaces,
        "Two who write the same file do not mix": no_mixture,
        "What a session changed, an upload does not overwrite": not_overwritten,
        "For computing use the interpreter's own files": own_files,
    }

    async def not_there(self, agent):
        await agent.ok("workspace_write", path="uploads/there.txt", content="x")
        self.assertIn("uploads/there.txt", (await agent.fails("workspace_read", path="uploads/their.txt")).text)

    async def outside(self, agent):
        for path in ("../a", "uploads/../../a"):
            with self.subTest(path):
                self.assertIn("path", (await agent.fails("workspace_write", path=path, content="x")).text)

    async def of_the_sandbox(self, agent):
        told = await agent.fails("workspace_write", path="/mnt/workspace/a.txt", content="x")
        self.assertIn("code-interpreter/a.txt", told.text)

    async def not_kept(self, agent):
        await agent.code("open('a.txt', 'w').write('x')")
        self.assertIn("ci_push_to_workspace", (await agent.fails("workspace_read", path="code-interpreter/a.txt")).text)

    async def no_encoding(self, agent):
        await agent.ok("workspace_write", path="documents/a.png", content=PNG)
        self.assertIn(PNG, (await agent.ok("workspace_read", path="documents/a.png")).text)

    async def no_base64(self, agent):
        told = await agent.fails("workspace_write", path="documents/a", content="words, words", encoding="base64")
        self.assertIn("base64", told.text)

    mistakes = {
        "a path that is not there": not_there,
        "a path with `..`": outside,
        "a path of the interpreter, as `/mnt/workspace/a.txt`": of_the_sandbox,
        "reading a file before it was kept": not_kept,
        'bytes in `content` without `"encoding": "base64"`': no_encoding,
        "`content` that is no base64 although `encoding` says so": no_base64,
    }
