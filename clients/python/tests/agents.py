"""MCP as agents speak it: the official client, over HTTP and over stdin and stdout, in both revisions of the protocol.

Beside what `kit` reads from the environment:

    CELLBLOCK_PROGRAM              the program that speaks over stdin and stdout
    CELLBLOCK_TEST_ENVIRONMENTS    where it finds its environments
"""

import base64
import contextlib
import logging
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import uuid

from mcp import Client, StdioServerParameters

from . import kit

PROGRAM = os.environ.get("CELLBLOCK_PROGRAM", "")
ENVIRONMENTS = os.environ.get("CELLBLOCK_TEST_ENVIRONMENTS", "")
SKILLS = pathlib.Path(__file__).resolve().parents[3] / "skills"

# Which step of the client's took long tells nothing of the server.
logging.getLogger("asyncio").setLevel(logging.ERROR)

# The handshake of all revisions up to 2025-11-25, and the revision without one.
LEGACY, STATELESS = "legacy", "2026-07-28"
REVISIONS = {LEGACY: "2025-11-25", STATELESS: "2026-07-28"}
# No call of a test takes this long; a call that hangs must not hang the suite. Seconds.
PATIENCE = 120


class Told:
    """What a tool's call gave."""

    def __init__(self, result):
        self.result = result
        self.failed = bool(result.is_error)
        self.structured = result.structured_content
        self.texts = [block.text for block in result.content if block.type == "text"]
        self.text = "\n".join(self.texts)
        self.images = [
            (block.mime_type, base64.b64decode(block.data, validate=True))
            for block in result.content
            if block.type == "image"
        ]
        self.links = [block for block in result.content if block.type == "resource_link"]

    def __repr__(self):
        return f"{'failed' if self.failed else 'ok'}: {self.text}\nimages: {len(self.images)}, links: {self.links}"


class Agent:
    """A connected client, and the `session_id` that its calls have if they name none."""

    def __init__(self, client, session=None):
        self.client = client
        self.session = session

    async def __call__(self, tool, /, *, progress=None, **arguments):
        if self.session and "session_id" not in arguments:
            arguments["session_id"] = self.session
        return Told(await self.client.call_tool(tool, arguments, PATIENCE, progress))

    async def ok(self, tool, /, **arguments):
        told = await self(tool, **arguments)
        assert not told.failed, told
        return told

    async def fails(self, tool, /, **arguments):
        """What it says that fails, which must be an answer and not an error of the protocol."""
        told = await self(tool, **arguments)
        assert told.failed, told
        assert told.text.strip(), "a failure without a word"
        return told

    async def code(self, code, **arguments):
        """What code that succeeds has printed, or the value of its last line; without sentences of ours."""
        told = (await self.ok("execute_code", code=code, **arguments)).structured
        return told["stdout"] or told.get("result", "")


def name():
    """A session's name that no other test has."""
    return f"test-{uuid.uuid4().hex[:12]}"


@contextlib.contextmanager
def data():
    """A data directory that is new and goes again; short, for the paths of sockets below it. Nothing may be left."""
    place = tempfile.mkdtemp(prefix="cellblock-mcp-")
    try:
        yield place
        kit.until(lambda: not left(place), what=f"the end of {left(place)}")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def left(place):
    """Processes that have this directory among their mounts or arguments, and nodes below it."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if place in (process / "mountinfo").read_text() or place.encode() in (process / "cmdline").read_bytes():
                found.append(f"{process.name} ({(process / 'comm').read_text().strip()})")
    nodes = pathlib.Path(place) / "nodes"
    return found + ([f"nodes/{node.name}" for node in nodes.iterdir()] if nodes.is_dir() else [])


def needs_program(test):
    why = "SKIPPED: CELLBLOCK_PROGRAM does not name the program: nothing can be asked over stdin and stdout"
    return test if PROGRAM else unittest.skip(why)(test)


@contextlib.asynccontextmanager
async def connected(server, mode):
    """The client, without the groups that it wraps around what a test has raised."""
    try:
        async with Client(server, mode=mode, read_timeout_seconds=PATIENCE) as client:
            yield client
    except BaseExceptionGroup as group:
        error = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None


@contextlib.asynccontextmanager
async def stdio(mode, *options, place=None, settings=None):
    """An agent whose server is a process of its own, with a data directory of its own if none is given."""
    with contextlib.nullcontext(place) if place else data() as place:
        arguments = ["mcp", "--env", "lean", "--data", place]
        if ENVIRONMENTS:
            arguments += ["--environments", ENVIRONMENTS]
        server = StdioServerParameters(command=PROGRAM, args=[*arguments, *options], env=settings)
        async with connected(server, mode) as client:
            yield Agent(client)


@contextlib.asynccontextmanager
async def bridge(mode, url, session):
    """An agent that reaches a server over stdin and stdout of a process between them."""
    async with connected(StdioServerParameters(command=PROGRAM, args=["mcp", "--url", url]), mode) as client:
        yield Agent(client, session)


@contextlib.asynccontextmanager
async def http(mode, *, url=kit.URL, query="", session=None):
    """An agent of a server that runs. In a session of its own, if none is named: conversations of the same principal
    may share theirs."""
    async with connected(f"{url}/mcp{query}", mode) as client:
        yield Agent(client, session or name())


@contextlib.contextmanager
def served(*options, **settings):
    """The address of a server of this test's own."""
    with data() as place:
        arguments = [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--env", "lean", "--data", place, *options]
        if ENVIRONMENTS:
            arguments += ["--environments", ENVIRONMENTS]
        log = open(os.path.join(place, "log"), "w+")
        server = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | settings)
        try:
            yield kit.until(lambda: address(log, server), PATIENCE, "a server that listens")
        finally:
            server.terminate()
            try:
                server.wait(PATIENCE)
            finally:
                server.kill()
                server.wait()
                log.close()


def address(log, server):
    said = pathlib.Path(log.name).read_text()
    assert server.poll() is None, said
    found = [line.partition(" listens on ")[2].strip() for line in said.splitlines() if " listens on " in line]
    return found[0] if found else None
