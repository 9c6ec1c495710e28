"""The kernel's loop: reads a call, runs it, reports.

A call's frame holds JSON: `code`, and optionally

- `silent` (no result, no history), `store_history` (default true; false: no number is spent),
- `filename`: what tracebacks call the code, and `__file__`, where the code is a program of the user's,
- `argv`: what `sys.argv` is from now on,
- `cwd`: where to go first, if that can be: code of another interpreter left off there,
- `final` (default false): the code is a whole program, and the interpreter ends after it as it does after a script.

Instead of `code` it may hold `complete`, a question about code that is not run (see `questions`); the report then has
`status` and, unless the question could not be answered, `answer`.

Unknown keys are ignored. The report, the last frame of a call, holds `status` (`ok`, `raised`, `exited`),
`execution_count`, `seconds`, `cpu_seconds` (with those of children that have ended), `cwd` and `interrupted`; for an
exception `ename`, `evalue`, `traceback`, `errno` (of a full disk), `full` (a file system in memory that is) and `memory_error`; `exit_status` if, and only if,
the interpreter ends with this call; and `modules`, top-level modules outside the standard library that were imported
since the last report.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from os import _exit
from time import perf_counter, process_time

from . import commands, display, ending, figures, home, imports, interrupt, layer, native, refusals, tracebacks, wire
from .interpreter import Interpreter, exit_status
from .interrupt import guarded
from .streams import text_stream
from .wire import Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class Outcome:
    """How one call went so far."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.final = False
        self.started = perf_counter()
        self.cpu = _cpu_seconds()


class Kernel:
    """One interpreter and the socket over which it is used."""

    def __init__(self, fd: int, interpreter: Interpreter) -> None:
        self._wire = Wire(fd)
        self._interpreter = interpreter
        self._outlet = interpreter.outlet
        self._outlet.wire = self._wire

    def serve(self) -> NoReturn:
        """Never returns: raises SystemExit with the interpreter's status, or ends at once when init is gone."""
        self._prepare()
        self._wire.queue.append(self._wire.pack(wire.READY, wire.NO_CALL, b""))
        self._wire.drain()
        while True:
            frame = self._wire.receive()
            if frame is None:
                _exit(0)
            kind, call, payload = frame
            if kind == wire.RUN:
                self._call(call, payload)

    def _prepare(self) -> None:
        for fd in (1, 2):
            try:
                os.set_blocking(fd, True)
            except OSError:
                pass
        # A crash in native code says where in the user's code it was.
        faulthandler.enable(2)
        for name, kind in (("stdout", wire.STDOUT), ("stderr", wire.STDERR)):
            stream = text_stream(self._outlet, kind)
            setattr(sys, name, stream)
            # `sys.stdout = sys.__stdout__` is how a redirection is undone.
            setattr(sys, f"__{name}__", stream)
        os.register_at_fork(
            before=self._outlet.before_fork,
            after_in_parent=self._outlet.after_fork_in_parent,
            after_in_child=self._after_fork_in_child,
        )
        home.install(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        interpreter = self._interpreter
        interpreter.adopt()
        imports.after("IPython", lambda _module: interpreter.get_ipython())
        refusals.install()
        ending.install(self._outlet)
        commands.install(self._outlet)
        figures.install(interpreter)
        native.install()
        interrupt.install()
        interpreter.modules.new()

    def _after_fork_in_child(self) -> None:
        self._outlet.after_fork_in_child()
        loops = sys.modules.get("cellblock_kernel.loops")
        if loops is not None:
            loops.after_fork()  # type: ignore[attr-defined]

    def _call(self, call: bytes, payload: bytes) -> None:
        outcome = Outcome()
        self._outlet.begin(call)
        question = _question(payload)
        if question is not None:
            self._outlet.end(wire.DONE, display.to_json(self._answer(question)))
            return
        self._run(payload, outcome)
        report = self._report(outcome)
        # An exception holds the frames, and these hold everything that the code had at hand.
        outcome.error = None
        self._outlet.end(wire.DONE, display.to_json(report))
        if "exit_status" in report:
            raise SystemExit(report["exit_status"])

    def _answer(self, question: Any) -> dict[str, Any]:
        from . import questions

        interrupt.begin()
        found, error = guarded(questions.answer, self._interpreter, question)
        interrupt.restore()
        if self._outlet.forked:
            # A `__dir__` that forks: the child has nothing to say.
            _exit(0)
        return {"status": "ok", "answer": found} if error is None else {"status": "ok"}

    def _run(self, payload: bytes, outcome: Outcome) -> None:
        interrupt.begin()
        request, outcome.error = guarded(_request, payload)
        if outcome.error is not None:
            return
        outcome.final = bool(request.get("final"))
        filename = request.get("filename")
        if filename:
            self._interpreter.names["__file__"] = filename
        argv = request.get("argv")
        if argv:
            sys.argv[:] = argv
        _go(request.get("cwd"))
        _, outcome.error = guarded(layer.look)
        if outcome.error is not None:
            return
        _, outcome.error = guarded(
            self._interpreter.run,
            request["code"],
            silent=bool(request.get("silent")),
            store=bool(request.get("store_history", True)),
            filename=filename,
        )
        _, late = guarded(self._settle)
        outcome.error = outcome.error or late

    def _settle(self) -> None:
        """What the end of a call brings to light: open figures, and text that other layers still hold."""
        try:
            figures.flush()
        finally:
            native.flush(self._interpreter.modules.any)
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except (AttributeError, OSError, ValueError):
                    pass

    def _report(self, outcome: Outcome) -> dict[str, Any]:
        error = outcome.error
        report: dict[str, Any] = {"status": "ok", "execution_count": self._interpreter.current}
        if issubclass(type(error), SystemExit):
            report["status"] = "exited"
            # A text as status goes to standard error, and printing it runs the user's code.
            status, failed = guarded(exit_status, error, sys.stderr.write)
            report["exit_status"] = 1 if failed else status
        elif error is not None:
            report.update(_describe(error))
            if outcome.final:
                report["exit_status"] = 1
        elif outcome.final:
            report["exit_status"] = 0
        # A handler that the code installed would meet an interrupt that comes too late for this call.
        interrupt.restore()
        report["interrupted"] = issubclass(type(error), KeyboardInterrupt) and interrupt.raised()
        if report["interrupted"]:
            imports.mend()
        if self._outlet.forked:
            # A child that the code forked has come to the end of the cell: it ends, as at the end of a script.
            if report.get("traceback"):
                sys.stderr.write(f"{report['traceback']}\n")
            raise SystemExit(report.get("exit_status", int(error is not None)))
        if "exit_status" in report:
            ending.finish(self._interpreter)
        report.update(_place())
        modules = self._interpreter.modules.new()
        if modules:
            report["modules"] = modules
        report["seconds"] = round(perf_counter() - outcome.started, 6)
        report["cpu_seconds"] = round(_cpu_seconds() - outcome.cpu, 6)
        return report


def _question(payload: bytes) -> Any:
    # Far from all calls: those need not be read twice.
    if not payload.startswith(b'{"complete":'):
        return None
    try:
        return json.loads(payload).get("complete")
    except ValueError:
        return None


def _request(payload: bytes) -> dict[str, Any]:
    request = json.loads(payload)
    if not isinstance(request, dict) or not isinstance(request.get("code"), str):
        raise ValueError("a call without `code`")
    return request


def _go(directory: Any) -> None:
    """Goes where another interpreter's code left off. That it is gone since is no fault of this code's."""
    if isinstance(directory, str):
        try:
            os.chdir(directory)
        except (OSError, ValueError):
            pass


def _place() -> dict[str, str]:
    try:
        directory = os.getcwd()
        # Bytes that are no text cannot be told.
        directory.encode()
    except (OSError, UnicodeError):
        return {}
    return {"cwd": directory}


def _describe(error: BaseException) -> dict[str, Any]:
    described, failed = guarded(tracebacks.describe, error)
    if failed is not None:
        name = tracebacks.name_of(error)
        described = {"ename": name, "evalue": "", "traceback": name, "errno": None, "memory_error": False}
    # For `%tb`, `%debug` and `traceback.print_last()`.
    sys.last_type, sys.last_value = type(error), error
    sys.last_traceback = BaseException.__dict__["__traceback__"].__get__(error)
    sys.last_exc = error  # type: ignore[attr-defined]
    return {"status": "raised", **described}


def _cpu_seconds() -> float:
    children = os.times()
    return process_time() + children.children_user + children.children_system
