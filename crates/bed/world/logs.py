"""Lines of JSON that tests read."""

import json
import os
import time


class Log:
    def __init__(self, path: str) -> None:
        # Appended with one call a line: two processes write to the same log.
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, **what: object) -> None:
        os.write(self._file, (json.dumps({"at": time.time(), **what}) + "\n").encode())
