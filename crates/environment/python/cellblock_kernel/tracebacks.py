"""Exceptions as text: in Python's own words, without the frames that are not the user's.

The standard library's formatter and not IPython's: it writes what any Python program would write, knows groups, notes
and chains, needs no import of IPython, and does not read the values of variables, which for hostile objects is code.

What must stay true: whatever the exception is (its `__str__` raises, it has a million frames, a message of a
gigabyte), there is a text, it is not larger than [`LIMIT`] by much, and it ends with the exception's own line.
"""

from __future__ import annotations

import os
import sys

from .display import cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

#: Characters of a whole traceback, of one line of it, and of an exception's message by itself.
LIMIT = 64 << 10
LINE_LIMIT = 4 << 10
VALUE_LIMIT = 8 << 10
#: Frames that are looked at: of each exception the first and the last so many.
_FRAMES = 200

# The attributes themselves, past any `__getattribute__` and metaclass of the user's.
_NAME = type.__dict__["__name__"].__get__
_TRACE = BaseException.__dict__["__traceback__"].__get__
_CAUSE = BaseException.__dict__["__cause__"].__get__
_CONTEXT = BaseException.__dict__["__context__"].__get__
_ERRNO = OSError.__dict__["errno"].__get__
_MEMBERS = BaseExceptionGroup.__dict__["exceptions"].__get__
_SUPPRESSED = BaseException.__dict__["__suppress_context__"].__get__

_OURS = os.path.dirname(os.path.abspath(__file__)) + "/"
_DISK_FULL = ("ENOSPC", "EDQUOT", "EFBIG")
_IN_MEMORY = ("/tmp", "/dev/shm")
_LITTLE = 64 << 10

#: The names under which cells were compiled.
_cells: set[str] = set()
#: Texts of cells, until somebody imports `linecache`.
_texts: dict[str, str] = {}


def remember(name: str, text: str) -> None:
    """Makes a cell's source known to tracebacks, warnings and `inspect`."""
    _cells.add(name)
    linecache = sys.modules.get("linecache")
    if linecache is None:
        _texts[name] = text
        if len(_texts) == 1:
            from . import imports

            imports.after("linecache", _tell_linecache)
    else:
        lines = text.splitlines(keepends=True)
        # Without a modification time it is never checked against a file.
        linecache.cache[name] = (len(text), None, lines, name)  # type: ignore[attr-defined]


def forget() -> None:
    """Forgets the sources of all cells."""
    linecache = sys.modules.get("linecache")
    for name in _cells:
        _texts.pop(name, None)
        if linecache is not None:
            linecache.cache.pop(name, None)  # type: ignore[attr-defined]
    _cells.clear()


def _tell_linecache(_module: Any) -> None:
    for name, text in list(_texts.items()):
        remember(name, text)
    _texts.clear()


def describe(error: BaseException) -> dict[str, Any]:
    """What a report says of an exception."""
    links = _chain(error)
    errno = next((code for link in links if (code := _disk_errno(link))), None)
    return {
        "ename": name_of(error),
        "evalue": cut(_message(error), VALUE_LIMIT),
        "traceback": render(error),
        "errno": errno,
        "full": _full_memory() if errno == "ENOSPC" else None,
        "memory_error": any(issubclass(type(link), MemoryError) for link in links),
    }


def name_of(error: BaseException) -> str:
    """The name of an exception's class, whatever a metaclass says."""
    return _NAME(type(error))


def render(error: BaseException) -> str:
    """The traceback, without a newline at the end."""
    try:
        if name_of(error) == "UsageError" and type(error).__module__ == "IPython.core.error":
            # A magic that was used wrongly is not a fault in a program.
            return cut(f"UsageError: {_message(error)}", LIMIT)
        return _render(error)
    except BaseException:
        return _render_barely(error)


def _render(error: BaseException) -> str:
    import traceback

    lines: list[str] = []
    try:
        for text in _summary(error).format():
            lines.extend(text.splitlines())
    except RecursionError:
        # A chain or group that nests deeper than the formatter can follow.
        lines.extend("".join(traceback.format_exception_only(type(error), error)).splitlines())
    return _cut_lines([cut(line, LINE_LIMIT).replace("\n", " ") for line in lines])


def _render_barely(error: BaseException) -> str:
    """The same for an exception that cannot even be looked at: its own frames, its name, its message."""
    lines: list[str] = []
    try:
        import traceback

        stack = _users_frames(traceback.extract_tb(_TRACE(error), limit=-_FRAMES))
        if stack:
            lines = [
                "Traceback (most recent call last):",
                *"".join(traceback.format_list(stack)).splitlines(),
            ]
    except BaseException:
        pass
    message = _message(error)
    return _cut_lines(
        [*lines, cut(f"{name_of(error)}: {message}" if message else name_of(error), LIMIT // 2)]
    )


def _cut_lines(lines: list[str]) -> str:
    """The first lines and, more of them, the last."""
    if sum(map(len, lines)) + len(lines) <= LIMIT:
        return "\n".join(lines)
    head, tail = LIMIT // 4, LIMIT * 3 // 4
    first = 0
    while first < len(lines) and len(lines[first]) < head:
        head -= len(lines[first]) + 1
        first += 1
    last = len(lines)
    while last > first and len(lines[last - 1]) < tail:
        tail -= len(lines[last - 1]) + 1
        last -= 1
    return "\n".join([*lines[:first], f"  … {last - first} lines are left out …", *lines[last:]])


def _summary(error: BaseException) -> Any:
    """`traceback.TracebackException`, of which our frames and IPython's were taken out."""
    import traceback

    deepest = max(_depth(_TRACE(link)) for link in _chain(error))
    limit = -_FRAMES if deepest > 10 * _FRAMES else None
    summary = traceback.TracebackException(type(error), error, _TRACE(error), limit=limit, compact=True)
    todo = [summary]
    while todo:
        item = todo.pop()
        # Without a stack there is no headline either: a syntax error in a cell has only its own lines.
        item.stack[:] = _users_frames(list(item.stack))
        item.stack = item.stack or None
        text = getattr(item, "_str", None)
        if isinstance(text, str):
            item._str = cut(text, LIMIT // 2)
        related = (item.__cause__, item.__context__, *(getattr(item, "exceptions", None) or ()))
        todo += [other for other in related if other is not None and other.stack is not None]
    return summary


def _users_frames(stack: list[Any]) -> list[Any]:
    if stack and stack[0].filename.startswith(_OURS):
        # It came through us: all that lies before the cell is machinery, asyncio's too.
        for index, frame in enumerate(stack):
            if frame.filename in _cells:
                stack = stack[index:]
                break
    ipython = sys.modules.get("IPython")
    hidden = (_OURS, os.path.dirname(ipython.__file__) + "/") if ipython and ipython.__file__ else (_OURS,)
    return [frame for frame in stack if not frame.filename.startswith(hidden)]


def _depth(trace: TracebackType | None) -> int:
    depth = 0
    while trace is not None:
        depth += 1
        trace = trace.tb_next
    return depth


def _chain(error: BaseException) -> list[BaseException]:
    """The exception and those that it came from, the nearest first; not more than anybody would read."""
    links: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo and len(links) < 64:
        link = todo.pop(0)
        if link is None or any(link is known for known in links):
            continue
        links.append(link)
        todo.append(_CAUSE(link))
        if not _SUPPRESSED(link):
            todo.append(_CONTEXT(link))
        if issubclass(type(link), BaseExceptionGroup):
            todo.extend(_MEMBERS(link))
    return links


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return "<exception str() failed>"


def _full_memory() -> str | None:
    """Which of the file systems in memory has no space left, if one has none.

    An error's own file name says less: most writes are to an open file, and know none.
    """
    import os

    for place in _IN_MEMORY:
        try:
            status = os.statvfs(place)
        except OSError:
            continue
        # A page or two may be left where a file's last piece did not fit.
        if status.f_bavail * status.f_frsize < _LITTLE or status.f_files and not status.f_favail:
            return place
    return None


def _disk_errno(error: BaseException) -> str | None:
    import errno

    if not issubclass(type(error), OSError):
        return None
    number = _ERRNO(error)
    name = errno.errorcode.get(number) if type(number) is int else None
    return name if name in _DISK_FULL else None
