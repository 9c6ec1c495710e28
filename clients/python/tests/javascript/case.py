"""What a case of JavaScript or TypeScript is, and what is held against what came.

A case is what an agent sends, call after call, and what must come back. It is written once and does not know over which
edge it goes; `edges` tells what came in the words used here. Texts are compared whole, without white space at their
ends, unless a pattern is given.
"""

import dataclasses
import re
import textwrap

# The exit status by which an edge tells an outcome that has no status of its own.
STATUSES = {"ok": 0, "raised": 1, "timed_out": 124, "out_of_memory": 137}
NODE, DENO = "node", "deno"
TIME, MEMORY = "time", "memory"


@dataclasses.dataclass
class By:
    """What differs between the runtimes, in their own words."""

    node: object
    deno: object


@dataclasses.dataclass
class Call:
    """One call: its code, and what must come."""

    code: str
    # What is printed, and the value of the last expression as it is shown; "" for nothing.
    out: object = ""
    value: object = ""
    # What it raises: `Name` or `Name: message`, whose message may go on; and where in the code, as `line:column`.
    error: object = ""
    at: object = ""
    # The error of TypeScript's, `TS` with a number, that keeps it from running.
    typed: str = ""
    # How it ends, if not as `error` says; and with which status, if it ends the interpreter.
    outcome: str = ""
    exits: object = None
    # What else is told, on stderr, in notices and tracebacks; a text or several.
    says: object = ()
    never: object = ()
    # What it shows: MIME types of pictures.
    pictures: tuple = ()
    # The language, where it is not the case's: "python", "shell" or the other of the two.
    language: str = ""
    # Whether it begins with a fresh interpreter of its language.
    clear: bool = False

    def __post_init__(self):
        self.code = textwrap.dedent(self.code).strip("\n")

    def ends(self):
        if self.outcome:
            return self.outcome
        if self.exits is not None:
            return "exited"
        return "raised" if self.error or self.typed else "ok"


@dataclasses.dataclass
class Case:
    name: str
    calls: list
    language: str = "javascript"
    # The runtimes that it is for.
    runtimes: tuple = (NODE, DENO)
    # Whether its calls make one program, if they are put together: what they print is the same then.
    joined: bool = False
    # What it needs a server with little of: TIME or MEMORY.
    limits: str = ""
    # Whether its first call alone is a program; not where it is about what comes after a call's end.
    program: bool = True
    # The file this case is in; filled in by `cases`.
    group: str = ""

    def __post_init__(self):
        if isinstance(self.calls, Call):
            self.calls = [self.calls]

    def as_program(self):
        """What of it an edge can show that knows whole programs only: all calls, if they are `joined`, or the first;
        None if that would prove nothing. The value of a program's last line is not shown.
        """
        if self.joined:
            whole = "\n".join(call.code for call in self.calls)
            last = self.calls[-1]
            out = "\n".join(call.out for call in self.calls if call.out)
            return dataclasses.replace(last, code=whole, out=out, value="", at="")
        call = self.calls[0]
        seen = call.out or call.error or call.typed or call.exits is not None or call.outcome
        mixed = call.language or call.pictures or not self.program
        return None if mixed or not seen else dataclasses.replace(call, value="")


@dataclasses.dataclass
class Told:
    """What came."""

    out: str
    # None where an edge has it as the last lines of `out`.
    value: object
    status: object
    # Everything else: stderr, notices, tracebacks.
    words: str
    pictures: tuple = ()
    # The outcome's and the error's names, where an edge tells them; so it is with the status.
    outcome: object = None
    error: object = None


def differences(call, told, runtime):
    """What is not as it must be, as lines."""
    found = []

    def fits(wanted, got):
        if isinstance(wanted, re.Pattern):
            return wanted.search(got) or runtime == DENO and wanted.search(quoted(got))
        wanted, got = texts(wanted), texts(got)
        # Deno takes double quotes where Node.js takes single ones.
        return wanted == got or runtime == DENO and quoted(wanted) == quoted(got)

    def expect(what, wanted, got):
        wanted = of(wanted, runtime)
        if not fits(wanted, got):
            found.append(f"{what}: wanted {getattr(wanted, 'pattern', wanted)!r}, got {got[:3000]!r}")

    out, value = of(call.out, runtime), of(call.value, runtime)
    if told.value is None and isinstance(out, str) and isinstance(value, str):
        expect("out and value", f"{texts(out)}\n{texts(value)}", told.out)
    elif told.value is None:
        # One of them is a pattern: it is looked for in what both have become.
        for what, wanted in (("out", out), ("value", value)):
            expect(what, wanted if isinstance(wanted, re.Pattern) else re.compile(re.escape(texts(wanted))), told.out)
    else:
        expect("out", out, told.out)
        expect("value", value, told.value)
    ends = call.ends()
    if told.outcome is not None and told.outcome != ends:
        found.append(f"outcome: wanted {ends}, got {told.outcome}")
    status = STATUSES[ends] if call.exits is None else call.exits
    if told.status is None:
        if ends == "exited" and f"status {status}" not in told.words:
            found.append(f"status {status} is not told")
    elif told.status != status:
        found.append(f"status: wanted {status}, got {told.status}")
    error, at = of(call.error, runtime), of(call.at, runtime)
    if error:
        if error not in told.words:
            found.append(f"error: {error!r} is not told")
        if told.error is not None and told.error != error.partition(":")[0]:
            found.append(f"error: wanted {error!r}, got {told.error!r}")
    if call.typed:
        at = at or r"\d+:\d+"
        if not re.search(rf"[\w-]+\.ts:{at} - error {call.typed}:", told.words):
            found.append(f"{call.typed} at {at} is not told")
        if told.error not in (None, "TypeScriptError"):
            found.append(f"error: got {told.error!r}")
    elif at and not re.search(rf"[\w-]+\.(?:m?[jt]s):{at}\b", told.words):
        found.append(f"position: {at} is not told")
    for wanted in several(of(call.says, runtime)):
        if not fits(wanted if isinstance(wanted, re.Pattern) else re.compile(re.escape(wanted)), told.words):
            found.append(f"{getattr(wanted, 'pattern', wanted)!r} is not said")
    for unwanted in several(of(call.never, runtime)):
        if unwanted in told.words:
            found.append(f"{unwanted!r} must not be said")
    if told.pictures != call.pictures:
        found.append(f"pictures: wanted {call.pictures}, got {told.pictures}")
    if ends == "ok" and not call.says and told.words:
        found.append("nothing else was to be said")
    return found and [*found, f"it printed:\n{told.out[:3000]}", f"it said:\n{told.words[:3000]}"]


def quoted(text):
    return text.replace('"', "'")


def of(what, runtime):
    return getattr(what, runtime) if isinstance(what, By) else what


def several(what):
    return [what] if isinstance(what, (str, re.Pattern)) else what


def texts(text):
    return "\n".join(line.rstrip() for line in textwrap.dedent(text).strip().splitlines())
