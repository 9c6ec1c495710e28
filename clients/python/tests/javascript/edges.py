"""The edges of the server as cases see them: each runs calls and tells what came in the words of `case`."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

import anyio.from_thread

from .. import agents, kit
from .case import NODE, Told

SUFFIXES = {"javascript": "js", "typescript": "ts"}


def lines(*parts):
    return "\n".join(part for part in parts if part)


class Aws:
    """boto3, on the wire of AgentCore: Deno, unless another runtime is named."""

    def __init__(self, runtime, url=kit.URL):
        self.runtime = runtime
        self.client = kit.boto3.client("bedrock-agentcore", endpoint_url=url)
        self.session = kit.Session(self.client)

    def call(self, call, language):
        if language == "shell":
            result = self.session.call("executeCommand", command=call.code)
        else:
            more = {"runtime": "nodejs"} if self.runtime == NODE and language in SUFFIXES else {}
            more |= {"clearContext": True} if call.clear else {}
            result = self.session.call("executeCode", code=call.code, language=language, **more)
        structured = result["structuredContent"]
        pictures = tuple(block["mimeType"] for block in result["content"] if block["type"] == "image")
        assert result["isError"] == (structured["exitCode"] != 0), result
        return Told(structured["stdout"], None, structured["exitCode"], structured["stderr"], pictures)

    def close(self):
        self.session.stop()
        self.client.close()


class Mcp:
    """The official client of MCP, over HTTP. There is no parameter for a fresh interpreter: the code's own way out
    gives one."""

    def __init__(self, runtime, url=kit.URL):
        assert runtime == NODE, "MCP's languages are Node.js's"
        self.runtime = runtime
        self.stack = contextlib.ExitStack()
        portal = self.stack.enter_context(anyio.from_thread.start_blocking_portal())
        agent = agents.http(agents.STATELESS, url=url)
        self.agent = self.stack.enter_context(portal.wrap_async_context_manager(agent))
        self.ask = portal.call

    def call(self, call, language):
        if call.clear:
            # The call after it is told of it; this one shall not be.
            for code in (CLEARS[language], "0"):
                self.tool("execute_code", code=code, language=language)
        if language == "shell":
            told = self.tool("execute_command", command=call.code)
        else:
            told = self.tool("execute_code", code=call.code, language=language)
        data = told.structured
        # Who ends the interpreter with status 0 has not failed.
        exits = data["outcome"] == "exited"
        assert exits or told.failed == (data["outcome"] not in ("ok", "too_much_output")), told
        error = data.get("error", {})
        words = lines(data["stderr"], *data.get("notices", ()), error.get("traceback"))
        if data["outcome"] not in ("ok", "raised"):
            words = lines(words, data.get("message"), told.text)
        pictures = tuple(mime for mime, _ in told.images)
        return Told(data["stdout"], data.get("result", ""), None, words, pictures, data["outcome"], error.get("name"))

    def tool(self, name, **arguments):
        return self.ask(lambda: self.agent(name, **arguments))

    def close(self):
        self.stack.close()


CLEARS = {"python": "exit()", "javascript": "process.exit()", "typescript": "process.exit()"}


class Run:
    """`cellblock run`: each call is a program of its own, in a cell of its own."""

    def __init__(self, runtime, *options):
        self.runtime = runtime
        self.options = options
        self.place = tempfile.TemporaryDirectory(prefix="cellblock-run-")

    def call(self, call, language):
        place = pathlib.Path(tempfile.mkdtemp(dir=self.place.name))
        program = place / f"program.{SUFFIXES[language]}"
        program.write_text(call.code)
        command = [agents.PROGRAM, "run", "--json", "--env", "lean", "--out", place / "out", *self.options]
        if agents.ENVIRONMENTS:
            command += ["--environments", agents.ENVIRONMENTS]
        command += ["--language", language, program]
        environment = os.environ | {"XDG_DATA_HOME": self.place.name}
        ran = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=agents.PATIENCE)
        try:
            data = json.loads(ran.stdout)
        except ValueError:
            raise AssertionError(f"no JSON: {ran.stdout}\n{ran.stderr}") from None
        forms = [entry["data"] for entry in data["results"]]
        shown = [form.get("text/plain") or form.get("text/markdown") or form.get("text/html") for form in forms]
        raised = data["error"] or {}
        words = lines(data["stderr"], *data["notices"], data["traceback"])
        if data["outcome"] not in ("ok", "raised"):
            words = lines(words, data["message"])
        return Told(lines(data["stdout"], *shown), "", data["status"], words, (), data["outcome"], raised.get("name"))

    def close(self):
        self.place.cleanup()
