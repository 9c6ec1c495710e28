"""Makes the cache that Deno's kernels start from: has one run a few calls, and keeps what Deno then knows.

    deno_cache.py DIRECTORY SOURCES ENVIRONMENT WORD...

DIRECTORY is made and holds the cache. SOURCES and ENVIRONMENT are two paths with `=` between what they are here and in a
cell. WORD... starts the kernel, which serves the descriptor that is appended.

The cache is a database of SQLite's that all cells read and none can write: for that SQLite wants the files beside it that
a writer would have made, which may be empty.
"""

import json
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
from urllib.parse import quote

HEADER = struct.Struct("<2sBBII16s")
RUN, DONE = 0x60, 0x85
PATIENCE = 20
#: What most programs begin with: all that a name of Node's or an import loads. The second loads the parser.
CALLS = [
    "for (const name of ['fs', 'path', 'os', 'util', 'url', 'child_process', 'crypto', 'stream', 'timers/promises'])"
    " require(name); process.stdout.write(`${[new Map(), Buffer.from('x')]}`); setTimeout(() => {}, 0)",
    "import { readFile } from 'node:fs/promises'; const text = await readFile('/dev/null', 'utf8'); text.length",
]
#: What stands for itself in the path of a URL.
PLAIN = "/!$&'()*+,;=:@|[]"
#: The database of compiled code.
NAME = "v8_code_cache_v2"


def frame(ours: socket.socket) -> int:
    """The kind of the next frame."""
    header = received(ours, HEADER.size)
    _, _, kind, length, _, _ = HEADER.unpack(header)
    received(ours, length)
    return kind


def received(ours: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = ours.recv(length - len(data))
        if not more:
            raise EOFError("the kernel ended")
        data += more
    return data


def run(words: list[str], directory: str) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE)
    # Nothing of the user's: neither settings nor a directory of other modules.
    variables = {"DENO_DIR": directory, "HOME": directory, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    kernel = subprocess.Popen(
        [*words, str(theirs.fileno())], env=variables, cwd="/", pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
    )
    theirs.close()
    try:
        frame(ours)
        for number, code in enumerate(CALLS):
            payload = json.dumps({"code": code}).encode()
            ours.sendall(HEADER.pack(b"CB", 1, RUN, len(payload), 0, number.to_bytes(16, "little")) + payload)
            while frame(ours) != DONE:
                pass
        ours.close()
        # It ends when nobody is at the other end.
        kernel.wait(PATIENCE)
    finally:
        kernel.kill()
        kernel.wait()


def settle(path: str, places: list[tuple[str, str]]) -> None:
    """Has the rows speak of places in a cell, and the file be whole by itself."""
    database = sqlite3.connect(path, isolation_level=None)
    for here, there in places:
        before = f"file://{quote(here, safe=PLAIN)}/"
        database.execute(
            "UPDATE codecache SET specifier = ? || substr(specifier, ?) WHERE substr(specifier, 1, ?) = ?",
            (f"file://{there}/", len(before) + 1, len(before), before),
        )
    # Deno has statistics made when it opens a database that has none, and could not.
    database.execute("ANALYZE")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with open(name, "ab") as file:
            os.fsync(file.fileno())
        os.chmod(name, 0o644)


def main(directory: str, sources: str, environment: str, *words: str) -> None:
    os.mkdir(directory)
    run(list(words), directory)
    places = [(here, there) for here, _, there in (each.rpartition("=") for each in (sources, environment))]
    settle(os.path.join(directory, NAME), places)
    for entry in os.scandir(directory):
        if entry.is_dir():
            shutil.rmtree(entry.path)
        elif not entry.name.startswith(NAME):
            os.unlink(entry.path)


main(*sys.argv[1:])
