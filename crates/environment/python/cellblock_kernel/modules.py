"""Which libraries a session uses: what it imported beyond the standard library."""

import sys
from itertools import islice

_NOT_LIBRARIES = ("_", "cellblock_kernel", "sitecustomize", "usercustomize")


class Modules:
    """Remembers how many there were, and tells which are new.

    Only the new ones are looked at: to look at the name of a module that was there before a fork copies its page.
    """

    def __init__(self) -> None:
        self._count = 0
        #: Whether anything beyond the standard library was imported.
        self.any = False

    def new(self) -> list[str]:
        """The top-level names that came since the last time."""
        count, self._count = self._count, len(sys.modules)
        try:
            # The newest are the last.
            names = list(islice(reversed(sys.modules), max(0, self._count - count)))
        except RuntimeError:
            return []  # A thread is importing.
        known = sys.stdlib_module_names
        new = sorted(
            name
            for name in names
            if "." not in name and name not in known and not name.startswith(_NOT_LIBRARIES)
        )
        self.any = self.any or bool(new)
        return new
