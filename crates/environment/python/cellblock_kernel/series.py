"""Series of a chart, which are found first, and read when it is known how many points each may have: what is common to
them, and those that are more than points. The others are in `artists`."""

from __future__ import annotations

import sys
from weakref import WeakKeyDictionary, WeakSet, ref

from .scales import Scale, number, numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: The most categories that are told of an axis, and outliers of a box.
CATEGORIES = 200
OUTLIERS = 50

#: The values behind the wedges of pies.
_slices: Any = WeakKeyDictionary()
#: The numbers behind a box, by the line of its median; its body; and everything that belongs to one.
boxes: Any = WeakKeyDictionary()
parts: Any = WeakSet()


class Series:
    """Some values that belong together."""

    def __init__(
        self,
        kind: str,
        length: int,
        read: Callable[[Any], dict[str, Any]],
        label: Any = None,
        color: Any = None,
        **about: Any,
    ) -> None:
        self.kind = kind
        self.length = length
        self.read = read
        self.label = label_of(label)
        self.color = color
        self.about = about
        #: How many of its points may be told.
        self.share = length

    def indices(self) -> Any:
        """Which of its points are told: evenly spread, the first and the last among them."""
        numpy = sys.modules["numpy"]
        if self.share >= self.length:
            return numpy.arange(self.length)
        return numpy.linspace(0, self.length - 1, self.share).astype(int)


def remember_boxes(statistics: Any, drawn: dict[str, Any]) -> None:
    """Keeps the numbers of boxes that were drawn."""
    bodies = drawn.get("boxes") or []
    shown = ("fliers", "mean") if drawn.get("means") else ("fliers",)
    for at, (known, median) in enumerate(zip(list(statistics), drawn["medians"], strict=True)):
        kept = {key: known.get(key) for key in ("label", "med", "q1", "q3", "whislo", "whishi", *shown)}
        boxes[median] = (kept, ref(bodies[at]) if at < len(bodies) else None)
    for artists in drawn.values():
        for artist in artists:
            parts.add(artist)


def remember_slices(values: Any, wedges: list[Any]) -> None:
    """Keeps the values of a pie that was drawn."""
    for value, wedge in zip(values, wedges, strict=True):
        _slices[wedge] = float(value)


# Names and colours.


def label_of(label: Any) -> str | None:
    # What begins like this is matplotlib's own.
    return None if label is None or str(label).startswith("_") else str(label) or None


def hex_of(color: Any) -> str | None:
    """A colour as `#rrggbb`."""
    try:
        text = sys.modules["matplotlib.colors"].to_hex(color)
    except (ValueError, TypeError):
        return None
    return str(text)


def legend_of(axes: Any) -> dict[str, str]:
    """What the legend says of colours: seaborn labels nothing but what it puts there."""
    legend = axes.get_legend()
    if legend is None:
        return {}
    handles = getattr(legend, "legend_handles", None) or getattr(legend, "legendHandles", [])
    told: dict[str, str] = {}
    for handle, text in zip(handles, legend.get_texts(), strict=False):
        color = color_of(handle)
        if color is not None:
            told.setdefault(color, text.get_text())
    return told


def color_of(artist: Any) -> str | None:
    for name in ("get_facecolor", "get_color"):
        get = getattr(artist, name, None)
        if get is None:
            continue
        color = get()
        if getattr(color, "ndim", 1) == 2:
            color = color[0] if len(color) else None
        if color is not None:
            return hex_of(color)
    return None


def colors_of(mappable: Any) -> str | None:
    """What the bar beside the axes says of its colours."""
    bar = getattr(mappable, "colorbar", None)
    if bar is None:
        return None
    long = bar.ax.yaxis if getattr(bar, "orientation", "") == "vertical" else bar.ax.xaxis
    return str(long.get_label().get_text()) or None


# Pies, boxes, images.


def pie(axes: Any, wedges: list[Any]) -> Series:
    values = [_slices.get(wedge) for wedge in wedges]
    texts = [text.get_text() for text in axes.texts if text.get_text()]

    def read(at: Any) -> dict[str, Any]:
        chosen = [wedges[index] for index in at]
        labels = [label_of(wedge.get_label()) for wedge in chosen]
        told: dict[str, Any] = {"labels": labels}
        if not any(labels) and len(texts) == len(wedges):
            told["labels"] = [texts[index] for index in at]
        told["percent"] = [number(round((wedge.theta2 - wedge.theta1) / 3.6, 4)) for wedge in chosen]
        if None not in values:
            told["values"] = numbers([values[index] for index in at])
        told["colors"] = [hex_of(wedge.get_facecolor()) for wedge in chosen]
        return told

    return Series("pie", len(wedges), read)


def box(medians: list[Any], x: Scale, y: Scale, legend: dict[str, str]) -> Series:
    outliers = [len(fliers) for fliers in (boxes[median][0]["fliers"] for median in medians) if fliers is not None]

    def read(_at: Any) -> dict[str, Any]:
        return {"boxes": [_one_box(median, x, y, legend) for median in medians[:CATEGORIES]]}

    return Series("box", len(medians) + sum(min(count, OUTLIERS) for count in outliers), read)


def _one_box(median: Any, x: Scale, y: Scale, legend: dict[str, str]) -> dict[str, Any]:
    numpy = sys.modules["numpy"]
    known, body = boxes[median]
    xs, ys = median.get_xdata(orig=False), median.get_ydata(orig=False)
    flat = len(xs) > 1 and xs[0] == xs[-1] and ys[0] != ys[-1]
    where = (ys[0] + ys[-1]) / 2 if flat else (xs[0] + xs[-1]) / 2
    place = (y if flat else x).values(numpy.asarray([where]), near=True)[0]
    told: dict[str, Any] = {"label": str(known.get("label") or "") or str("" if place is None else place)}
    color = color_of(body()) if body is not None and body() is not None else None
    if color in legend:
        told["group"] = legend[color]
    for name, key in (
        ("median", "med"),
        ("q1", "q1"),
        ("q3", "q3"),
        ("low", "whislo"),
        ("high", "whishi"),
        ("mean", "mean"),
    ):
        if known.get(key) is not None:
            told[name] = number(float(known[key]))
    far = numpy.asarray(known["fliers"] if known["fliers"] is not None else (), dtype=float)
    told["outliers"] = numbers(far[numpy.linspace(0, len(far) - 1, OUTLIERS).astype(int)] if len(far) > OUTLIERS else far)
    if len(far) > OUTLIERS:
        told["outliers_of"] = len(far)
    return told


def heatmap(image: Any) -> Series:
    values = image.get_array()
    if values is None or values.ndim == 3:
        return Series("image", 0, lambda _at: {"pixels": list(getattr(values, "shape", ()))})
    rows, columns = values.shape if values.ndim == 2 else (1, len(values))
    size = rows * columns

    def read(at: Any) -> dict[str, Any]:
        told: dict[str, Any] = {"rows": rows, "columns": columns}
        # Those of the colours, which were computed for the picture.
        told["low"], told["high"] = numbers(image.get_clim())
        if len(at) == size:
            told["values"] = [numbers(row) for row in values.reshape(rows, columns)]
        return told

    return Series("heatmap", size, read)
