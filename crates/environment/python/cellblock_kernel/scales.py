"""An axis of a chart: what its positions stand for (numbers, dates, categories), as JSON has it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The most labels that are read as categories.
_LABELS = 500


def number(value: float) -> float | int | None:
    """A number without the noise behind its twelfth digit; null where JSON has none."""
    if value - value != 0:
        return None
    value = float(f"{value:.12g}")
    return int(value) if abs(value) < 1e15 and value == int(value) else value


def numbers(values: Any) -> list[Any]:
    """Numbers of an array; what is masked, not a number or infinite is null."""
    numpy = sys.modules["numpy"]
    array = numpy.ma.filled(numpy.ma.asarray(values, dtype=float), numpy.nan)
    return [number(value) for value in array.ravel().tolist()]


class Scale:
    """One axis."""

    def __init__(self, axis: Any) -> None:
        self._axis = axis
        self._locator, self._formatter = axis.get_major_locator(), axis.get_major_formatter()
        if type(self._locator).__name__ in ("ThetaLocator", "RadialLocator"):
            self._locator = self._locator.base
        self.name = axis.get_scale()
        converter = axis.get_converter() if hasattr(axis, "get_converter") else axis.converter
        kind = type(converter).__name__
        # pandas draws regular series over the numbers of their periods.
        self._freq = getattr(axis, "freq", None)
        self._dates = self._freq is None and "Date" in kind
        if self._freq is not None or self._dates:
            self.name = "date"
        self._ticks: Any = None
        #: What the ticks are called, where a text stands for each.
        self.categories: list[str] | None = None
        self._read_categories(kind)

    def _read_categories(self, kind: str) -> None:
        numpy = sys.modules["numpy"]
        locator, formatter = self._locator, self._formatter
        ticks: Any = None
        if kind == "StrCategoryConverter" and hasattr(self._axis.units, "_mapping"):
            mapping = list(self._axis.units._mapping.items())[:_LABELS]
            labels = [str(text) for text, _ in mapping]
            ticks = [position for _, position in mapping]
        elif type(locator).__name__ == "FixedLocator" and _has_texts(formatter):
            ticks = list(locator())[:_LABELS]
            labels = [str(text) for text in formatter.format_ticks(ticks)]
        if ticks is None or not len(ticks) or not any(text.strip() for text in labels):
            return
        order = numpy.argsort(ticks, kind="stable")
        self._ticks = numpy.asarray(ticks, dtype=float)[order]
        self.categories = [labels[at] for at in order]
        self.name = "category"

    def unit(self) -> str | None:
        """What the ticks' format says of the unit."""
        formatter = self._formatter
        kind = type(formatter).__name__
        if kind == "PercentFormatter":
            return formatter.symbol
        return formatter.unit if kind == "EngFormatter" else None

    def view(self) -> list[Any]:
        """Where the picture begins and ends."""
        ends = self._axis.get_view_interval()
        if self._freq is not None or self._dates:
            return self.values(ends)
        return [number(float(f"{end:.6g}")) for end in ends]

    def values(self, positions: Any, near: bool = False) -> list[Any]:
        """What these positions stand for: numbers, dates of ISO 8601, names of categories.

        A position between two categories is a number; `near`, it is that of the next category: bars stand side by side.
        """
        if self._freq is not None:
            return self._periods(positions)
        if self._dates:
            return _dates(positions)
        if self.categories is None:
            return numbers(positions)
        return self._named(positions, near)

    def _named(self, positions: Any, near: bool) -> list[Any]:
        numpy = sys.modules["numpy"]
        ticks, names = self._ticks, self.categories
        assert names is not None
        positions = numpy.ma.filled(numpy.ma.asarray(positions, dtype=float), numpy.nan)
        space = numpy.diff(ticks).min() if len(ticks) > 1 else 1.0
        reach = space * (0.5 if near else 1e-6)
        at = numpy.abs(ticks[None, :] - positions[:, None]).argmin(axis=1)
        fits = numpy.abs(ticks[at] - positions) <= reach
        if not near and not fits.all():
            return numbers(positions)
        return [names[where] if fit else number(position) for where, fit, position in zip(at, fits, positions)]

    def _periods(self, positions: Any) -> list[Any]:
        pandas = sys.modules["pandas"]
        return [
            None if value != value else _day(pandas.Period(ordinal=int(value), freq=self._freq).start_time.isoformat())
            for value in positions
        ]


def _has_texts(formatter: Any) -> bool:
    """Whether the ticks' labels were given as texts, and not as a way to write numbers."""
    if type(formatter).__name__ == "FixedFormatter":
        return True
    # How `set_xticks(…, labels=…)` keeps them.
    function = getattr(formatter, "func", None)
    return getattr(getattr(function, "func", None), "__name__", "") == "_format_with_dict"


def _dates(positions: Any) -> list[Any]:
    """Days since matplotlib's epoch, as dates."""
    numpy = sys.modules["numpy"]
    positions = numpy.ma.filled(numpy.ma.asarray(positions, dtype=float), numpy.nan)
    good = numpy.isfinite(positions) & (numpy.abs(positions) < 3.6e6)
    epoch = numpy.datetime64(sys.modules["matplotlib.dates"].get_epoch(), "us")
    # To the tenth of a millisecond: floating point holds no more of a date of today.
    since = numpy.round(numpy.where(good, positions, 0) * 86_400e4).astype("int64") * 100
    texts = numpy.datetime_as_string(epoch + since.astype("timedelta64[us]"))
    texts = [text.removesuffix(".000000") for text in texts.tolist()]
    if all(text.endswith("T00:00:00") for text in texts):
        texts = [text[:10] for text in texts]
    return [text if fine else None for text, fine in zip(texts, good.tolist())]


def _day(text: str) -> str:
    return text.removesuffix("T00:00:00")
