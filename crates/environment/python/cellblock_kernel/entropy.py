"""After the fork: nothing random that the forkserver held may be the same in two sessions.

`uuid4`, `secrets`, `os.urandom` and `default_rng` ask the kernel and differ by themselves. The rest is here. Two of
these look safe and are not: OpenSSL and `tempfile` notice a fork by the process id, and a kernel's id in its cell may
well be the one that the forkserver has outside. The hash seed cannot be changed in a running interpreter.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def reseed() -> None:
    """Gives every generator that is loaded a state of its own."""
    for name, seed in _SEEDERS.items():
        module = sys.modules.get(name)
        if module is not None:
            seed(module)


def _random(module: Any) -> None:
    module.seed()


def _numpy(module: Any) -> None:
    module.seed()


def _uuid(module: Any) -> None:
    for name in ("_node", "_last_timestamp", "_last_timestamp_v7", "_last_counter_v7"):
        if hasattr(module, name):
            setattr(module, name, 0 if name == "_last_counter_v7" else None)


def _ssl(module: Any) -> None:
    module.RAND_add(os.urandom(64), 64.0)


def _tempfile(module: Any) -> None:
    module._name_sequence = None
    # The folder too: it was chosen in another home.
    module.tempdir = None


def _multiprocessing(module: Any) -> None:
    process = module.current_process()
    process._config["authkey"] = module.AuthenticationString(os.urandom(32))
    process._config.pop("tempdir", None)


def _semaphores(module: Any) -> None:
    import tempfile

    module.SemLock._rand = tempfile._RandomNameSequence()


def _torch(module: Any) -> None:
    module.seed()


_SEEDERS = {
    "random": _random,
    "numpy.random": _numpy,
    "uuid": _uuid,
    "_ssl": _ssl,
    "tempfile": _tempfile,
    "multiprocessing.process": _multiprocessing,
    "multiprocessing.synchronize": _semaphores,
    "torch": _torch,
}
