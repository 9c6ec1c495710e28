"""Figures of matplotlib: one that is shown, or left open at the end of a call, comes back as an image.

The backend is plain Agg and stays whatever the user sets: what is taught is the base class of all managers without
windows, whose `show` does nothing otherwise, and the end of a call. A figure is shown once: by `plt.show()` and
`fig.show()`, by `display(fig)`, as the value of a cell, or at the end of the call; again only if it was drawn on since.
After `plt.show()` and at the end of a call figures are closed, so that no call draws into an older one's.

Costs nothing where matplotlib is not imported.
"""

from __future__ import annotations

import os
import sys
from io import BytesIO

from . import display, imports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_interpreter: Any = None
#: Figures that were shown, by weak references.
_shown: Any = ()


def install(interpreter: Any) -> None:
    """From now on, figures belong to this interpreter's calls."""
    global _interpreter
    _interpreter = interpreter
    os.environ.setdefault("MPLBACKEND", "agg")
    imports.after("matplotlib.backend_bases", _teach_managers)
    imports.after("matplotlib.axes._axes", _remember)


def _teach_managers(module: ModuleType) -> None:
    if module.FigureManagerBase.show is _show_manager:  # type: ignore[attr-defined]
        return
    global _shown
    from weakref import WeakSet

    _shown = WeakSet()
    module.FigureManagerBase.show = _show_manager  # type: ignore[attr-defined]
    # `plt.show()` of every backend without windows comes here, in all releases since 3.5.
    show = vars(module._Backend)["show"]  # type: ignore[attr-defined]

    def show_all(cls: Any, **kwargs: Any) -> Any:
        result = show.__func__(cls, **kwargs)
        if getattr(cls, "mainloop", None) is None:
            _close_all()
        return result

    module._Backend.show = classmethod(show_all)  # type: ignore[attr-defined]


def _remember(module: ModuleType) -> None:
    from . import charts

    charts.remember(module)


def _show_manager(manager: Any) -> None:
    _publish(manager.canvas.figure)


def flush() -> None:
    """The end of a call: figures still open are shown and closed."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is None:
        return
    try:
        for manager in helpers.Gcf.get_all_fig_managers():  # type: ignore[attr-defined]
            _publish(manager.canvas.figure)
    finally:
        _close_all()


def _close_all() -> None:
    sys.modules["matplotlib._pylab_helpers"].Gcf.destroy_all()  # type: ignore[attr-defined]


def _publish(figure: Any) -> None:
    if (figure in _shown and not figure.stale) or not _has_content(figure) or _interpreter is None:
        return
    shell = _interpreter.shell
    data: dict[str, Any]
    metadata: dict[str, Any] = {}
    if shell is None or _is_plain(shell, figure):
        # Ourselves, because IPython's formatters swallow the error of a figure that cannot be drawn.
        data = {"text/plain": repr(figure), "image/png": _png(figure)}
        # The picture is drawn by now: what lazily becomes numbers has become them.
        chart = _chart(figure)
        if chart is not None:
            data[display.CHART] = chart
    else:
        data, metadata = shell.display_formatter.format(figure)
        _mark(figure)
    if shell is None:
        display.send_display(_interpreter.outlet, data, metadata)
    else:
        # By way of IPython, for `%%capture`.
        shell.display_pub.publish(data=data, metadata=metadata)


def _is_plain(shell: Any, figure: Any) -> bool:
    """Whether no `%config InlineBackend.figure_formats` chose something else than our PNG."""
    try:
        return shell.display_formatter.formatters["image/png"].lookup_by_type(type(figure)) is _png
    except KeyError:
        return False


def _png(figure: Any) -> bytes | None:
    if not _has_content(figure):
        return None
    out = BytesIO()
    if figure.canvas is None:
        from matplotlib.backend_bases import FigureCanvasBase

        FigureCanvasBase(figure)
    figure.canvas.print_figure(
        out, format="png", dpi=figure.dpi, facecolor=figure.get_facecolor(), bbox_inches="tight"
    )
    _mark(figure)
    return out.getvalue()


def _chart(figure: Any) -> dict[str, Any] | None:
    from . import charts

    return charts.chart(figure) if _has_content(figure) else None


def _mark(figure: Any) -> None:
    # Whatever is drawn from here on makes it stale again.
    figure.stale = False
    _shown.add(figure)


def _has_content(figure: Any) -> bool:
    return bool(
        figure.axes or figure.lines or figure.texts or figure.images or figure.patches or figure.artists
    )


def teach(shell: Any) -> None:
    """Tells a new IPython shell how a figure is shown as a value."""
    from . import forms

    shell.display_formatter.formatters["image/png"].for_type_by_name("matplotlib.figure", "Figure", _png)
    forms.add(shell, display.CHART, _chart, ("matplotlib.figure", "Figure"))

    def flush_nested() -> None:
        # A cell that IPython runs within one of ours (`%%capture`) ends like ours; ours are flushed by the kernel,
        # to which errors are not just something to print.
        if not shell.ends_ours:
            flush()

    shell.events.register("post_execute", flush_nested)


def offer_options(shell: Any) -> None:
    """Before `%config InlineBackend.…`: the options that notebooks set exist. Importing them imports matplotlib."""
    from matplotlib_inline.config import InlineBackend

    if not any(isinstance(each, InlineBackend) for each in shell.configurables):
        shell.configurables.append(InlineBackend.instance(parent=shell, shell=shell))
