"""A git repository over HTTP, by git's own program for that; where git is not, there is none."""

import asyncio
import os
import pathlib
import shutil
import subprocess

from servers.web import NOT_FOUND, Answer, Request

IMPORT = b"""\
commit refs/heads/main
committer Bed <bed@example> 1700000000 +0000
data 5
First
M 100644 inline README
data 14
a bed's file.

"""


class Repository:
    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory
        self._git = shutil.which("git")
        if self._git:
            repository = directory / "bed.git"
            run = {"check": True, "env": self._environment(), "stdout": subprocess.DEVNULL}
            subprocess.run([self._git, "init", "--quiet", "--bare", "-b", "main", repository], **run)
            subprocess.run([self._git, "-C", repository, "fast-import", "--quiet"], input=IMPORT, **run)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self._directory),
            "GIT_HTTP_EXPORT_ALL": "1",
        }

    async def answer(self, request: Request) -> Answer:
        if not self._git:
            return NOT_FOUND
        environment = self._environment() | {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_ADDR": "0.0.0.0",
        }
        program = await asyncio.create_subprocess_exec(
            self._git, "http-backend", env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        said, _ = await program.communicate(request.body)
        head, _, body = said.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        return Answer(
            body, fields.get("Content-Type", "text/plain"), status=fields.get("Status", "200 OK")
        )
