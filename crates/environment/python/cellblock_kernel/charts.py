"""A figure as data: what a person sees in the picture of a chart, for those who read.

`chart` gives what the form [`display.CHART`] of a figure holds; docs/results.md describes it. It is read from the
figure's artists, so whatever draws with matplotlib (pandas, seaborn) is understood: `artists` finds the series of axes,
`series` has what they are, `scales` what positions stand for. It is bounded in points, texts and time: what is thinned,
evenly, says how much there was.

A chart never costs its picture: nothing raises, and what is not understood is called `other`.
"""

from __future__ import annotations

import re

from . import artists, series
from .scales import Scale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .series import Series

#: Points of a figure, all its series together.
POINTS = 2000
#: Axes of a figure, series of axes.
AXES = 20
SERIES = 40
#: Characters of all texts, and of one.
TEXTS = 40_000
TEXT = 200
#: Texts that stand in axes, and artists that are named because they are not understood.
NOTES = 20

#: What is told of several kinds in the same axes: a fit through points is a scatter plot, a curve over bars a bar chart.
_RANK = ("pie", "box", "histogram", "bar", "barh", "heatmap", "scatter", "line", "area", "image", "other")
_UNIT = re.compile(r"\s[(\[]\s*(?:in\s+)?([^()\[\]]{1,20}?)\s*[)\]]\s*$")
_NO_UNIT = re.compile(r"^\d+$|log|scale|axis|lower|higher|left|right|normali[sz]ed|estimated", re.IGNORECASE)


class Texts:
    """Cuts texts, and counts them."""

    def __init__(self) -> None:
        self.left = TEXTS

    def cut(self, text: Any) -> str:
        text = " ".join(str(text).split())
        most = max(0, min(TEXT, self.left))
        if len(text) > most:
            text = f"{text[: most - 1]}…" if most else ""
        self.left -= len(text)
        return text


def chart(figure: Any) -> dict[str, Any] | None:
    """The figure as data; None of one without axes, or that cannot be read."""
    try:
        return _chart(figure)
    except Exception:
        # Artists can be anything, and change from release to release. The picture is there all the same.
        return None


def _chart(figure: Any) -> dict[str, Any] | None:
    texts = Texts()
    shown = [axes for axes in _all_axes(figure.axes) if axes.get_visible() and axes.get_label() != "<colorbar>"]
    if not shown:
        return None
    told: dict[str, Any] = {}
    for key, name in (("title", "suptitle"), ("x_label", "supxlabel"), ("y_label", "supylabel")):
        text = _figure_text(figure, name)
        if text:
            told[key] = texts.cut(text)
    found = [(axes, *_axes(axes, texts)) for axes in shown[:AXES]]
    points = [each for _, _, all_series in found for each in all_series]
    shares = _shares([each.length for each in points])
    for each, share in zip(points, shares, strict=True):
        each.share = share
    told["axes"] = []
    for number, (axes, head, all_series) in enumerate(found):
        head.update(_twin(axes, shown[:number]))
        head["series"] = [_told(each, texts) for each in all_series]
        told["axes"].append(head)
    if len(shown) > AXES:
        told["axes_left_out"] = len(shown) - AXES
    return told


def _all_axes(outer: list[Any]) -> list[Any]:
    """Axes, and those that lie in them."""
    return [
        axes for each in outer for axes in (each, *(child for child in each.child_axes if not _is_secondary(child)))
    ]


def _is_secondary(axes: Any) -> bool:
    return type(axes).__name__ == "SecondaryAxis"


def _figure_text(figure: Any, name: str) -> str:
    artist = getattr(figure, f"_{name}", None)
    return artist.get_text() if artist is not None else ""


def _axes(axes: Any, texts: Texts) -> tuple[dict[str, Any], list[Series]]:
    """What is told of axes before their series, and these, not yet read."""
    x, y = Scale(axes.xaxis), Scale(axes.yaxis)
    found = artists.find(axes, x, y)
    kinds = {each.kind for each in found.series}
    head: dict[str, Any] = {"kind": next((kind for kind in _RANK if kind in kinds), "other")}
    title = " ".join(filter(None, (axes.get_title(loc) for loc in ("left", "center", "right"))))
    if title:
        head["title"] = texts.cut(title)
    if axes.name != "rectilinear":
        head["projection"] = axes.name
    if head["kind"] != "pie":
        head["x"], head["y"] = _axis(axes.xaxis, x, texts), _axis(axes.yaxis, y, texts)
        if hasattr(axes, "zaxis"):
            head["z"] = _axis(axes.zaxis, Scale(axes.zaxis), texts)
        notes = [text.get_text() for text in axes.texts if text.get_visible() and text.get_text().strip()]
        if notes:
            head["texts"] = [texts.cut(text) for text in notes[:NOTES]]
    if found.colors:
        head["colors"] = _labelled(found.colors, texts)
    legend = axes.get_legend()
    if legend is not None and legend.get_title().get_text():
        head["legend"] = texts.cut(legend.get_title().get_text())
    mode = artists.arrangement(found.series)
    if mode:
        head["arrangement"] = mode
    secondary = [
        {"axis": name, **_labelled(text, texts)}
        for child in axes.child_axes
        if _is_secondary(child)
        for name, text in (("x", child.get_xlabel()), ("y", child.get_ylabel()))
        if text
    ]
    if secondary:
        head["secondary"] = secondary
    if found.others:
        head["others"] = sorted(found.others)[:NOTES]
    left_out = found.more + max(0, len(found.series) - SERIES)
    if left_out:
        head["series_left_out"] = left_out
    return head, found.series[:SERIES]


def _axis(axis: Any, scale: Scale, texts: Texts) -> dict[str, Any]:
    told = _labelled(axis.get_label().get_text(), texts)
    unit = scale.unit()
    if unit and "unit" not in told:
        told["unit"] = texts.cut(unit)
    told["scale"] = scale.name
    if scale.categories is not None:
        told["categories"] = [texts.cut(text) for text in scale.categories[: series.CATEGORIES]]
    else:
        told["range"] = scale.view()
    return told


def _labelled(text: str, texts: Texts) -> dict[str, Any]:
    if not text:
        return {}
    told = {"label": texts.cut(text)}
    match = _UNIT.search(text)
    if match and not _NO_UNIT.search(match[1]):
        told["unit"] = texts.cut(match[1].replace("$", ""))
    return told


def _twin(axes: Any, before: list[Any]) -> dict[str, Any]:
    """Whether these axes lie over others, as `twinx` makes them."""
    for number, other in enumerate(before):
        if other.get_position().bounds != axes.get_position().bounds:
            continue
        for name, group in (("x", axes.get_shared_x_axes()), ("y", axes.get_shared_y_axes())):
            if group.joined(axes, other):
                return {"twin_of": number, "shares": name}
    return {}


def _shares(lengths: list[int]) -> list[int]:
    """How many points each series may have: all of them where they are few, an equal share where they are many."""
    shares = [0] * len(lengths)
    left = POINTS
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for done, number in enumerate(order):
        shares[number] = min(lengths[number], left // (len(order) - done))
        left -= shares[number]
    return shares


def _told(each: Series, texts: Texts) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": each.kind}
    if each.label:
        told["label"] = texts.cut(each.label)
    if each.color:
        told["color"] = each.color
    try:
        values = each.read(each.indices())
    except Exception:
        return {**told, "unread": True}
    told.update((key, _bounded(value, texts)) for key, value in values.items())
    if each.share < each.length:
        told["shown"], told["of"] = each.share, each.length
    return told


def _bounded(value: Any, texts: Texts) -> Any:
    if isinstance(value, str):
        return texts.cut(value)
    if isinstance(value, list):
        return [_bounded(item, texts) for item in value]
    if isinstance(value, dict):
        return {key: _bounded(item, texts) for key, item in value.items()}
    return value


def remember(module: Any) -> None:
    """After an import of matplotlib's axes: the numbers of boxes and pies are kept, which their shapes do not tell."""

    def boxes(drawn: Any, statistics: Any, *_args: Any, **_options: Any) -> None:
        series.remember_boxes(statistics, drawn)

    def slices(drawn: Any, values: Any, *_args: Any, data: Any = None, **_options: Any) -> None:
        series.remember_slices(values if data is None or not isinstance(values, str) else data[values], drawn[0])

    _keep(module.Axes, "bxp", boxes, "bxpstats")
    _keep(module.Axes, "pie", slices, "x")


def _keep(kind: Any, name: str, keep: Callable[..., None], first: str) -> None:
    """Lets a method tell us what it drew, and of what: its first argument, by place or by name."""
    draw = getattr(kind, name)
    if hasattr(draw, "kept_by_cellblock"):
        return
    from functools import wraps

    @wraps(draw)
    def drawing(self: Any, *args: Any, **options: Any) -> Any:
        drawn = draw(self, *args, **options)
        try:
            rest = {key: value for key, value in options.items() if key != first}
            keep(drawn, *(args or (options[first],)), **rest)
        except Exception:
            pass  # Then they are lines and shapes.
        return drawn

    drawing.kept_by_cellblock = True  # type: ignore[attr-defined]
    setattr(kind, name, drawing)
