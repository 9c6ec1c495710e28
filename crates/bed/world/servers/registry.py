"""A package registry for npm with one package."""

import base64
import hashlib
import io
import json
import tarfile

from servers.web import NOT_FOUND, Answer, Request

NAME, VERSION = "bed-package", "1.0.0"
TARBALL = f"/{NAME}/-/{NAME}-{VERSION}.tgz"


class Registry:
    def __init__(self) -> None:
        self._tarball = tarball()

    async def answer(self, request: Request) -> Answer:
        match request.path:
            case path if path == f"/{NAME}":
                return Answer.json(self._packument(request.headers.get("host", "registry.example")))
            case path if path == TARBALL:
                return Answer(self._tarball, "application/octet-stream")
        return NOT_FOUND

    def _packument(self, host: str) -> dict:
        digest = hashlib.sha512(self._tarball).digest()
        version = {
            "name": NAME,
            "version": VERSION,
            "main": "index.js",
            "dist": {
                "tarball": f"https://{host}{TARBALL}",
                "integrity": "sha512-" + base64.b64encode(digest).decode(),
                "shasum": hashlib.sha1(self._tarball).hexdigest(),
            },
        }
        return {"name": NAME, "dist-tags": {"latest": VERSION}, "versions": {VERSION: version}}


def tarball() -> bytes:
    files = {
        "package/package.json": json.dumps({"name": NAME, "version": VERSION, "main": "index.js"}),
        "package/index.js": "module.exports = 42;\n",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()
