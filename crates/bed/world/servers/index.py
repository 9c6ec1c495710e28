"""A package index for pip (PEP 503) with one wheel of pure Python."""

import base64
import hashlib
import io
import zipfile

from servers.web import NOT_FOUND, Answer, Request

FILE = "bed_wheel-1.0-py3-none-any.whl"


class Index:
    def __init__(self) -> None:
        self._wheel = wheel()

    async def answer(self, request: Request) -> Answer:
        digest = hashlib.sha256(self._wheel).hexdigest()
        match request.path:
            case "/simple/bed-wheel/":
                link = f'<a href="/files/{FILE}#sha256={digest}">{FILE}</a>'
                return Answer(f"<!DOCTYPE html><html><body>{link}</body></html>", "text/html")
            case path if path == f"/files/{FILE}":
                return Answer(self._wheel, "application/zip")
        return NOT_FOUND


def wheel() -> bytes:
    information = "bed_wheel-1.0.dist-info"
    files = {
        "bed_wheel.py": "ANSWER = 42\n",
        f"{information}/METADATA": "Metadata-Version: 2.1\nName: bed-wheel\nVersion: 1.0\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: bed\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(text)}\n")
    lines.append(f"{information}/RECORD,,\n")
    files[f"{information}/RECORD"] = "".join(lines)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()
