"""The artists of axes, as the series of a chart."""

from __future__ import annotations

import sys

from . import series
from .scales import Scale, numbers
from .series import Series, color_of, hex_of, label_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: How many artists of axes are looked at, and points by their colours.
ARTISTS = 2000
GROUPED = 200_000


class Found:
    """What axes hold."""

    def __init__(self) -> None:
        self.series: list[Series] = []
        #: How many artists were not looked at.
        self.more = 0
        #: Artists that are not understood, by the names of their classes.
        self.others: set[str] = set()
        #: What colours stand for.
        self.colors: str | None = None


def find(axes: Any, x: Scale, y: Scale) -> Found:
    """The series of axes, in the order in which they were drawn."""
    found = Found()
    legend = series.legend_of(axes)
    taken: set[int] = set()
    for container in axes.containers:
        _container(container, x, y, legend, found, taken)
    taken.add(id(axes.patch))
    children = [child for child in axes.get_children() if child.get_visible() and id(child) not in taken]
    medians = [child for child in children if child in series.boxes]
    if medians:
        found.series.append(series.box(medians, x, y, legend))
    wedges = []
    found.more = max(0, len(children) - ARTISTS)
    for child in children[:ARTISTS]:
        kind = _class_of(child)
        if child in series.parts:
            continue
        if type(child).__name__ in ("AxLine", "_AxLine"):
            found.others.add("AxLine")  # Where it is, is found out when it is drawn.
        elif kind == "Line2D":
            _add(found, _line(axes, child, x, y, legend))
        elif kind == "PathCollection":
            found.series.extend(_scatter(child, x, y, legend))
            found.colors = found.colors or series.colors_of(child)
        elif kind in ("AxesImage", "QuadMesh"):
            found.series.append(series.heatmap(child))
            found.colors = found.colors or series.colors_of(child)
        elif kind == "PolyCollection" and not hasattr(axes, "zaxis"):
            _add(found, _area(child, x, y, legend)) or found.others.add(type(child).__name__)
        elif kind == "Wedge":
            wedges.append(child)
        elif kind in ("PolyCollection", "Patch", "Collection", "Table"):
            # seaborn adds rectangles without a size, for the legend.
            if not (type(child).__name__ == "Rectangle" and not child.get_width() and not child.get_height()):
                found.others.add(type(child).__name__)
    if wedges:
        found.series.append(series.pie(axes, wedges))
    return found


def arrangement(found: list[Series]) -> str | None:
    """How several series of bars stand to each other: `stacked` or `grouped`."""
    bars = [each for each in found if each.kind in ("bar", "barh")]
    if len(bars) < 2:
        return None
    return "stacked" if any(each.about["stacked"] for each in bars) else "grouped"


def _class_of(artist: Any) -> str:
    """The kind of an artist: the first of these that its class comes from."""
    for kind in type(artist).__mro__:
        if kind.__name__ in _CLASSES:
            return kind.__name__
    return ""


_CLASSES = frozenset(
    {"Line2D", "PathCollection", "AxesImage", "QuadMesh", "PolyCollection", "Wedge", "Spine", "Patch", "Collection", "Table"}
)


def _add(found: Found, series: Series | None) -> bool:
    if series is not None:
        found.series.append(series)
    return series is not None


# Containers: bars, errors, stems.


def _container(
    container: Any, x: Scale, y: Scale, legend: dict[str, str], found: Found, taken: set[int]
) -> None:
    kind = type(container).__name__
    label = label_of(container.get_label())
    if kind == "BarContainer":
        patches = [patch for patch in container.patches if patch.get_visible()]
        taken.update(map(id, container.patches))
        errors = container.errorbar
        if errors is not None:
            _take(errors, taken)
        if patches:
            found.series.append(_bars(container, patches, label, errors, x, y, legend))
    elif kind == "ErrorbarContainer":
        _take(container, taken)
        line, _, bars = container.lines
        if line is not None:
            axes = line.axes
            one = _line(axes, line, x, y, legend, label)
            if one is not None:
                read = one.read
                one.read = lambda at: {**read(at), **_errors(bars, at, x, y)}
                found.series.append(one)
        elif bars:
            found.others.add(kind)
    elif kind == "StemContainer":
        taken.update(map(id, (container.markerline, container.baseline)))
        stems = container.stemlines
        taken.update(map(id, stems if isinstance(stems, (list, tuple)) else [stems]))
        line = container.markerline
        one = _line(line.axes, line, x, y, legend, label)
        if one is not None:
            found.series.append(one)


def _take(errors: Any, taken: set[int]) -> None:
    line, caps, bars = errors.lines
    taken.update(map(id, [line, *caps, *bars]))


def _errors(bars: Any, at: Any, x: Scale, y: Scale) -> dict[str, Any]:
    """The two ends of the error bars of these points."""
    told: dict[str, Any] = {}
    for lines in bars or ():
        paths = lines.get_paths()
        if len(paths) <= max(at, default=0):
            continue
        ends = [paths[index].vertices for index in at]
        upright = all(abs(end[0, 0] - end[-1, 0]) <= abs(end[0, 1] - end[-1, 1]) for end in ends)
        name, axis, scale = ("y", 1, y) if upright else ("x", 0, x)
        told[f"{name}_low"] = scale.values([end[:, axis].min() for end in ends])
        told[f"{name}_high"] = scale.values([end[:, axis].max() for end in ends])
    return told


def _bars(
    container: Any, patches: list[Any], label: Any, errors: Any, x: Scale, y: Scale, legend: dict[str, str]
) -> Series:
    flat = getattr(container, "orientation", "vertical") == "horizontal"
    along, across = (y, x) if flat else (x, y)
    names = ("y", "x") if flat else ("x", "y")

    def shape(patch: Any) -> tuple[float, float, float, float]:
        """Where it stands, how wide it is, where it begins and how long it is."""
        left, low, width, height = patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height()
        return (low, height, left, width) if flat else (left, width, low, height)

    color = hex_of(patches[0].get_facecolor())
    if label is None:
        label = legend.get(color or "")
    few = [shape(patch) for patch in patches[:1000]]
    if _are_bins(few, along):

        def read_bins(at: Any) -> dict[str, Any]:
            chosen = [shape(patches[index]) for index in at]
            return {
                "orientation": "horizontal" if flat else "vertical",
                "from": along.values([bar[0] for bar in chosen]),
                "to": along.values([bar[0] + bar[1] for bar in chosen]),
                "values": numbers([bar[3] for bar in chosen]),
                **_bases(chosen),
            }

        return Series("histogram", len(patches), read_bins, label, color)

    def read(at: Any) -> dict[str, Any]:
        chosen = [shape(patches[index]) for index in at]
        return {
            names[0]: along.values([bar[0] + bar[1] / 2 for bar in chosen], near=True),
            names[1]: numbers([bar[3] for bar in chosen]) if across.name != "date" else across.values(
                [bar[2] + bar[3] for bar in chosen]
            ),
            **(_bases(chosen) if across.name != "date" else {"base": across.values([bar[2] for bar in chosen])}),
            **(_errors(errors.lines[2], at, x, y) if errors is not None else {}),
        }

    stacked = any(bar[2] for bar in few)
    return Series("barh" if flat else "bar", len(patches), read, label, color, stacked=stacked)


def _bases(bars: list[tuple[float, float, float, float]]) -> dict[str, Any]:
    return {"base": numbers([bar[2] for bar in bars])} if any(bar[2] for bar in bars) else {}


def _are_bins(bars: list[tuple[float, float, float, float]], along: Scale) -> bool:
    """Whether bars are a histogram's: one begins where the one before it ends."""
    if len(bars) < 2 or along.categories is not None:
        return False
    return all(
        abs(here[0] + here[1] - there[0]) <= 1e-6 * abs(here[1]) and here[1] > 0
        for here, there in zip(bars, bars[1:], strict=False)
    )


# Lines, points, areas.


def _line(
    axes: Any, line: Any, x: Scale, y: Scale, legend: dict[str, str], label: Any = None
) -> Series | None:
    color = hex_of(line.get_color())
    label = label or label_of(line.get_label()) or legend.get(color or "")
    if hasattr(line, "get_data_3d"):
        xs, ys, zs = line.get_data_3d()
        return Series(
            _line_kind(line),
            len(xs),
            lambda at: {"x": numbers(xs[at]), "y": numbers(ys[at]), "z": numbers(zs[at])},
            label,
            color,
        )
    xs, ys = line.get_xdata(orig=False), line.get_ydata(orig=False)
    if not len(xs) or not _finite(ys):
        return None
    transform = line.get_transform()
    if not transform.contains_branch(axes.transData):
        across, down = transform.contains_branch_seperately(axes.transData)
        if across == down:
            return None  # A decoration in the axes' own coordinates.
        # As `axhline` draws it.
        name, scale, at_ = ("x", x, xs) if across else ("y", y, ys)
        return Series("line", 1, lambda _at: {name: scale.values(at_[:1])}, label, color)
    return Series(
        _line_kind(line), len(xs), lambda at: {"x": x.values(xs[at]), "y": y.values(ys[at])}, label, color
    )


def _finite(values: Any) -> bool:
    """Whether there is anything to see of a short line: seaborn draws error bars that are none."""
    numpy = sys.modules["numpy"]
    return len(values) > 10 or bool(numpy.isfinite(numpy.asarray(values, dtype=float)).any())


def _line_kind(line: Any) -> str:
    invisible = str(line.get_linestyle()) in ("None", "none", " ", "")
    return "scatter" if invisible else "line"


def _scatter(points: Any, x: Scale, y: Scale, legend: dict[str, str]) -> list[Series]:
    label = label_of(points.get_label())
    offsets = getattr(points, "_offsets3d", None)
    if offsets is not None:
        xs, ys, zs = offsets
        return [
            Series(
                "scatter",
                len(xs),
                lambda at: {"x": numbers(xs[at]), "y": numbers(ys[at]), "z": numbers(zs[at])},
                label,
            )
        ]
    places = points.get_offsets()
    if not len(places):
        return []
    colored, sizes, colors = points.get_array(), points.get_sizes(), points.get_facecolor()

    def part(which: Any, label: Any, color: Any) -> Series:
        def read(at: Any) -> dict[str, Any]:
            at = at if which is None else which[at]
            told = {"x": x.values(places[at, 0]), "y": y.values(places[at, 1])}
            if colored is not None and len(colored) == len(places):
                told["values"] = numbers(colored[at])
            if len(sizes) == len(places) and len(sizes) > 1:
                told["sizes"] = numbers(sizes[at])
            return told

        return Series("scatter", len(places) if which is None else len(which), read, label, color)

    if colored is None and legend and GROUPED > len(colors) == len(places) > 1:
        groups = _groups(colors, legend)
        if groups:
            return [part(which, name, color) for name, color, which in groups]
    one = hex_of(colors[0]) if colored is None and len(colors) == 1 else None
    return [part(None, label or legend.get(one or ""), one)]


def _groups(colors: Any, legend: dict[str, str]) -> list[tuple[str, str, Any]]:
    """Points of one collection that the legend tells apart by their colours."""
    numpy = sys.modules["numpy"]
    rounded = numpy.round(colors[:, :3] * 255).astype("int64")
    codes = rounded[:, 0] << 16 | rounded[:, 1] << 8 | rounded[:, 2]
    groups = [(name, color, numpy.flatnonzero(codes == int(color[1:], 16))) for color, name in legend.items()]
    groups = [group for group in groups if len(group[2])]
    return groups if sum(len(group[2]) for group in groups) == len(codes) else []


def _area(polygons: Any, x: Scale, y: Scale, legend: dict[str, str]) -> Series | None:
    """What `fill_between` fills: along one edge and back along the other. `fill_betweenx` does it upright."""
    numpy = sys.modules["numpy"]
    paths = polygons.get_paths()
    if len(paths) != 1 or len(polygons.get_offsets()) > 1:
        return None
    corners = paths[0].vertices
    count = (len(corners) - 3) // 2
    if count < 1 or len(corners) != 2 * count + 3:
        return None
    there, back = corners[1 : count + 1], corners[count + 2 : 2 * count + 2][::-1]
    for along, name, scale, other in ((0, "x", x, y), (1, "y", y, x)):
        if numpy.array_equal(there[:, along], back[:, along]):
            break
    else:
        return None
    places = there[:, along]
    low, high = numpy.minimum(there, back)[:, 1 - along], numpy.maximum(there, back)[:, 1 - along]
    color = color_of(polygons)

    def read(at: Any) -> dict[str, Any]:
        return {name: scale.values(places[at]), "low": other.values(low[at]), "high": other.values(high[at])}

    return Series("area", count, read, label_of(polygons.get_label()) or legend.get(color or ""), color)
