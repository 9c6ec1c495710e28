"""JavaScript and TypeScript over each edge: boto3 with both runtimes, MCP, and `cellblock run`.

Each case is a test of its own. Those of one edge share a session, so that what one leaves behind is there for the next,
as it is for an agent; a case that fails costs that session, and the next one has a new one.
"""

import concurrent.futures
import contextlib
import os
import re
import unittest

import anyio

from . import agents
from .javascript import case as form
from .javascript.cases import CASES
from .javascript.edges import Aws, Mcp, Run

# What servers are given that have little of something: seconds for a call, MiB for a cell. Not both, since a busy machine
# takes its time to fill the memory.
LITTLE = {
    form.TIME: ("CELLBLOCK_LIMITS_CALL_SECONDS", "--timeout", "2"),
    form.MEMORY: ("CELLBLOCK_LIMITS_MEMORY_MIB", "--memory", "320"),
}


def run(edge, case, calls):
    for number, call in enumerate(calls, 1):
        wrong = form.differences(call, edge.call(call, call.language or case.language), edge.runtime)
        if wrong:
            text = "\n".join([f"call {number} of {case.name!r}:", call.code, "--", *wrong])
            raise AssertionError(text)


class Edge:
    """The tests of one edge and runtime."""

    limits = ""
    passed = 0

    @classmethod
    def open(cls):
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.url = agents.kit.URL
        if cls.limits:
            name, _, most = LITTLE[cls.limits]
            cls.url = cls.stack.enter_context(agents.served(**{name: most}))
        cls.edge = None

    @classmethod
    def tearDownClass(cls):
        if cls.edge:
            cls.edge.close()
        wanted = len(list(cls.cases()))
        print(f"{cls.__name__}: {cls.passed} of {wanted} cases passed, in {cls.runtime}", flush=True)

    @classmethod
    def cases(cls):
        return (case for case in CASES if case.limits == cls.limits and cls.runtime in case.runtimes)

    def case(self, case):
        kind = type(self)
        if not kind.edge:
            kind.edge = self.open()
        try:
            run(kind.edge, case, case.calls)
        except BaseException:
            kind.edge.close()
            kind.edge = None
            raise
        kind.passed += 1


class Programs(Edge):
    """Each case is a program: its calls where they may be put together, else the first, if there is something to see.
    They run beside each other and beside nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.edge = Run(cls.runtime, *LITTLE[cls.limits][1:] if cls.limits else ())
        pool = concurrent.futures.ThreadPoolExecutor(2)
        cls.addClassCleanup(pool.shutdown)
        cls.running = {
            case.name: pool.submit(run, cls.edge, case, [case.as_program()]) for case in cls.cases()
        }

    @classmethod
    def cases(cls):
        return (case for case in super().cases() if case.as_program())

    def case(self, case):
        self.running[case.name].result()
        type(self).passed += 1


def of(called, edge, **attributes):
    """A class of tests of this name with one for each case of the edge."""
    kind = type(called, (edge, unittest.TestCase), attributes)
    for case in kind.cases():
        name = re.sub(r"\W+", "_", f"test_{case.group}_{case.name}")

        def test(self, case=case):
            self.case(case)

        test.__name__ = name
        setattr(kind, name, test)
    return kind


class AgentCore(Edge):
    """On a server of an ordinary user's, where there is one beside root's: the other edges are on that."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.limits:
            cls.url = os.environ.get("CELLBLOCK_USER_URL", cls.url)

    def open(self):
        return Aws(self.runtime, self.url)


class ModelContext(Edge):
    def open(self):
        return Mcp(self.runtime, self.url)


class Interrupts(unittest.IsolatedAsyncioTestCase):
    """What only a client can do who goes away from a call: MCP's cancellation."""

    async def test_a_cancelled_loop_keeps_the_variables(self):
        loops = ("for (;;) n++", "await null; for (;;) n++", "await new Promise(() => setInterval(() => n++, 1))")
        async with agents.http(agents.STATELESS) as agent:
            await agent.code("let n = 0, kept = 'kept'", language="javascript")
            for loop in loops:
                with self.subTest(loop), anyio.fail_after(agents.PATIENCE):
                    await self.cancelled(agent, f"console.log('started'); {loop}")
                    self.assertEqual(await agent.code("kept + (n > 0)", language="javascript"), "'kepttrue'")

    async def test_so_does_one_in_typescript(self):
        async with agents.http(agents.STATELESS) as agent:
            await agent.code("const seen: number[] = []", language="typescript")
            with anyio.fail_after(agents.PATIENCE):
                loop = "console.log('started'); while (true) { if (seen.length < 10) seen.push(seen.length) }"
                await self.cancelled(agent, loop, "typescript")
            self.assertEqual(await agent.code("seen.length satisfies number", language="typescript"), "10")

    async def cancelled(self, agent, code, language="javascript"):
        started = anyio.Event()

        async def heard(progress, total, message):
            if "started" in (message or ""):
                started.set()

        async def go_on():
            await agent("execute_code", code=code, language=language, progress=heard)

        async with anyio.create_task_group() as group:
            group.start_soon(go_on)
            await started.wait()
            group.cancel_scope.cancel()


@agents.needs_program
class Warnings(unittest.IsolatedAsyncioTestCase):
    async def test_type_errors_may_be_warnings(self):
        with agents.served(CELLBLOCK_TYPESCRIPT_ERRORS="warn") as url:
            async with agents.http(agents.STATELESS, url=url) as agent:
                told = await agent.ok("execute_code", code="const n: number = 'text'\nconsole.log(n)", language="typescript")
                self.assertEqual(told.structured["stdout"], "text")
                self.assertRegex(told.structured["stderr"], r"^cell-1\.ts:1:7 - error TS2322: ")


AgentCoreNode = of("AgentCoreNode", AgentCore, runtime=form.NODE)
AgentCoreDeno = of("AgentCoreDeno", AgentCore, runtime=form.DENO)
McpNode = of("McpNode", ModelContext, runtime=form.NODE)
RunNode = agents.needs_program(of("RunNode", Programs, runtime=form.NODE))
for limits in LITTLE:
    for edge in (AgentCoreNode, AgentCoreDeno, McpNode, RunNode):
        name = f"{edge.__name__}{limits.title()}"
        globals()[name] = agents.needs_program(of(name, edge.__base__, runtime=edge.runtime, limits=limits))
del edge
