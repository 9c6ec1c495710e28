"""MIME bundles: what is displayed and what a cell's last expression gives, as the payload of a frame.

A bundle is JSON: `{"data": {mime: …}, "metadata": {…}}`, for a display also `display_id`, `update`, or `clear` and
`wait` instead of data; for a result `execution_count`. Text is text, JSON types are JSON, and binary types (a PNG) are
base64. Whatever an object claims about itself, what is sent is valid JSON, valid Unicode and no larger than
[`BUNDLE_LIMIT`].
"""

from __future__ import annotations

import codecs
import json
from binascii import b2a_base64

from .streams import Outlet
from .wire import DISPLAY, RESULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Bytes of a whole bundle. The protocol's frames hold 32 MiB.
BUNDLE_LIMIT = 24 << 20
#: Characters of one plain text. Longer ones are cut in the middle.
TEXT_LIMIT = 1 << 20

#: The forms that we add, of a figure and of a data frame, beside those that there would be without us.
CHART = "application/vnd.cellblock.chart+json"
TABLE = "application/vnd.dataresource+json"

_BASE64 = ("image/", "audio/", "video/", "application/pdf")


def send_result(outlet: Outlet, data: dict, metadata: dict, number: int) -> None:
    """Sends the value of a cell's last expression."""
    message = _bundle(data, metadata)
    _ration(outlet, message["data"])
    outlet.send(RESULT, _encode({**message, "execution_count": number}))


def send_display(
    outlet: Outlet, data: dict, metadata: dict | None, display_id: Any = None, update: bool = False
) -> None:
    """Sends something displayed, or what it is now."""
    message = _bundle(data, metadata or {})
    _ration(outlet, message["data"])
    if display_id is not None:
        message["display_id"] = str(display_id)
    if update:
        message["update"] = True
    outlet.send(DISPLAY, _encode(message))


def send_clear(outlet: Outlet, wait: bool) -> None:
    """Asks to forget what this call displayed; with `wait`, when the next display comes."""
    outlet.send(DISPLAY, _encode({"data": {}, "metadata": {}, "clear": True, "wait": bool(wait)}))


def _ration(outlet: Outlet, data: dict[str, Any]) -> None:
    """Leaves out what we added where a call shows very much: it must not take the place of what the code shows."""
    for mime in (CHART, TABLE):
        if mime in data:
            outlet.data_left -= len(to_json(data[mime]))
            if outlet.data_left < 0:
                del data[mime]


def to_json(value: Any) -> bytes:
    """JSON, whatever is in it: numbers that JSON does not have are null, unknown objects are text."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        text = json.dumps(_plain(value, 0), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "cellblock.escape")


def cut(text: str, limit: int) -> str:
    """The text, or its two ends and how much is left out between them."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n… {left_out} of {len(text)} characters are left out …\n{text[-half:]}"


def repr_cut(value: Any) -> str:
    """The representation of a `str` or `bytes` that is too long to be represented as a whole."""
    half = TEXT_LIMIT // 2 - 100
    # Escapes make a representation longer than its text.
    start, end = repr(value[:half])[:-1][:half], repr(value[-half:]).removeprefix("b")[1:][-half:]
    what = "bytes" if isinstance(value, bytes) else "characters"
    return f"{start}\n… {len(value) - 2 * half} of {len(value)} {what} are left out …\n{end}"


def _escape(error: UnicodeError) -> tuple[str, int]:
    # A lone surrogate within a JSON string: an escaped backslash and its number.
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(f"\\\\u{ord(char):04x}" for char in error.object[error.start : error.end]), error.end


codecs.register_error("cellblock.escape", _escape)


def _bundle(data: dict, metadata: dict) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for mime, value in data.items():
        mime = str(mime)
        if isinstance(value, (bytes, bytearray, memoryview)):
            value = b2a_base64(value, newline=False).decode("ascii")
        elif isinstance(value, str):
            if mime.startswith(_BASE64) and mime != "image/svg+xml":
                value = value.replace("\n", "")
        elif not mime.endswith("json"):
            value = str(value)
        if mime == "text/plain":
            value = cut(value, TEXT_LIMIT)
        sent[mime] = value
    return {"data": sent, "metadata": metadata}


def _encode(message: dict[str, Any]) -> bytes:
    encoded = to_json(message)
    if len(encoded) <= BUNDLE_LIMIT:
        return encoded
    # The largest representations go first; a text says so.
    data = message["data"]
    sizes = {mime: len(to_json(value)) for mime, value in data.items()}
    total = len(encoded)
    notes = []
    for mime in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if total <= BUNDLE_LIMIT:
            break
        total -= sizes[mime]
        del data[mime]
        notes.append(
            f"[{mime} of {sizes[mime] / (1 << 20):.1f} MiB left out: a display holds {BUNDLE_LIMIT >> 20} MiB]"
        )
    text = data.get("text/plain")
    data["text/plain"] = "\n".join(([str(text)] if text else []) + notes)
    if total > BUNDLE_LIMIT:
        message["metadata"] = {}
    return to_json(message)


def _plain(value: Any, depth: int) -> Any:
    """The same value out of what JSON has."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        value = float(value)
        return value if value - value == 0 else None
    if depth < 64:
        if isinstance(value, dict):
            return {str(key): _plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [_plain(item, depth + 1) for item in value]
        # numpy's arrays and scalars.
        to_list = getattr(value, "tolist", None)
        if callable(to_list):
            try:
                return _plain(to_list(), depth + 1)
            except Exception:
                pass
    try:
        return cut(str(value), TEXT_LIMIT)
    except Exception:
        return f"<{type(value).__name__} without a text>"
