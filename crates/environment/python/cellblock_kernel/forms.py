"""Forms that we add to what is displayed: a chart's and a table's data, beside the picture and the text."""

from __future__ import annotations

from IPython.core.formatters import JSONFormatter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Form(JSONFormatter):
    """Gives a form to values of certain types, and asks no other value for anything.

    Not by the types that IPython keeps: `%config InlineBackend.figure_formats` empties these.
    """

    #: What gives it, by module and name of the type, which need not be imported.
    given: dict[tuple[str, str], Callable[[Any], Any]]

    def __call__(self, obj: Any) -> Any:
        if not self.enabled:
            return None
        for kind in type(obj).__mro__:
            give = self.given.get((kind.__module__, kind.__name__))
            if give is not None:
                return give(obj)
        return None


def add(shell: Any, mime: str, give: Callable[[Any], Any], *types: tuple[str, str]) -> None:
    """Gives values of these types (module, name), and of those that come from them, this form. It must not raise."""
    form = Form(parent=shell.display_formatter, format_type=mime)
    form.given = dict.fromkeys(types, give)
    shell.display_formatter.formatters[mime] = form
