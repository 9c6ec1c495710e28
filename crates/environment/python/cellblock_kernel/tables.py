"""A DataFrame or a Series as data: the form `application/vnd.dataresource+json`, a Table Schema and rows.

docs/results.md describes it. A frame of any size costs the same: its first rows are taken, and these are converted.
pandas has an option that does a like thing for all rows; it is the user's, and where it is on, pandas answers.
"""

from __future__ import annotations

import sys
from reprlib import Repr
from time import thread_time

from .display import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The most rows and columns, and characters of the rows together.
ROWS = 200
COLUMNS = 50
SIZE = 64 << 10
#: Seconds of computing after which no more rows are converted: objects make their texts themselves.
SECONDS = 0.2
#: The longest text in a row.
TEXT = 500
#: The most categories that a column's type lists.
CATEGORIES = 100

#: Lists and the like in a row.
_SHORT = Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxfrozenset = _SHORT.maxdict = 50
_SHORT.maxstring = _SHORT.maxother = 200


def table(value: Any) -> dict[str, Any] | None:
    """A frame or a series as data; None where it cannot be read."""
    try:
        if type(value).__module__.partition(".")[0] == "polars":
            return _of_polars(value)
        return _of_pandas(value)
    except Exception:
        # Columns can be of any type that somebody wrote. The text is there all the same.
        return None


def teach(shell: Any) -> None:
    """Tells a new IPython shell which values are tables."""
    from . import forms

    types = (
        ("pandas", "DataFrame"),
        ("pandas", "Series"),
        ("pandas.core.frame", "DataFrame"),
        ("pandas.core.series", "Series"),
        ("polars.dataframe.frame", "DataFrame"),
        ("polars.series.series", "Series"),
    )
    forms.add(shell, TABLE, table, *types)


def _resource(
    fields: list[dict[str, Any]], columns: list[Any], count: int, width: int, keys: list[str]
) -> dict[str, Any]:
    """Converts rows until there are enough of them; columns of objects say their type when it is known."""
    names = [field["name"] for field in fields]
    rows: list[dict[str, Any]] = []
    size, overhead = 0, sum(map(len, names)) + 5 * len(names)
    end = thread_time() + SECONDS
    for values in zip(*columns, strict=True):
        row = [_plain(_scalar(value)) for value in values]
        size += overhead + sum(len(value) if isinstance(value, str) else 8 for value in row)
        if rows and (size > SIZE or thread_time() > end):
            break
        rows.append(dict(zip(names, row, strict=True)))
    for field, values in zip(fields, columns, strict=True):
        if "type" not in field:
            field["type"] = _common([row[field["name"]] for row in rows], values)
    schema: dict[str, Any] = {"fields": fields}
    if keys:
        schema["primaryKey"] = keys
    return {
        "profile": "tabular-data-resource",
        "schema": schema,
        "data": rows,
        "cellblock": {"rows": count, "columns": width, "shown": len(rows)},
    }


def _common(told: list[Any], values: list[Any]) -> str:
    """The type of a column that can hold anything, by what it does hold."""
    found = set()
    for text, value in zip(told, values, strict=False):
        kind = type(value)
        if text is None:
            continue
        if isinstance(text, str):
            dates = {"date": "date", "datetime": "datetime", "time": "time", "timedelta": "duration"}
            found.add(dates.get(kind.__name__, "string") if kind.__module__ == "datetime" else "string")
        else:
            found.add({bool: "boolean", int: "integer"}.get(type(text), "number"))
    if found == {"integer", "number"}:
        return "number"
    return found.pop() if len(found) == 1 else "any" if found else "string"


def _names(names: list[Any]) -> list[str]:
    """Names as texts, each a different one: rows are objects."""
    told: list[str] = []
    taken: set[str] = set()
    for name in names:
        text = ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)
        text = first = _cut(text)
        again = 1
        while text in taken:
            again += 1
            text = f"{first} ({again})"
        taken.add(text)
        told.append(text)
    return told


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"


def _plain(value: Any) -> Any:
    """One value as JSON has it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # Beyond, most who read JSON would round it.
        return int(value) if -(1 << 63) <= value < 1 << 64 else _cut(str(value))
    if isinstance(value, float):
        return float(value) if value - value == 0 else None
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, (list, tuple, dict, set, frozenset, bytes, bytearray)):
        return _cut(_SHORT.repr(value))
    if type(value).__module__.partition(".")[0] == "shapely":
        # The text of a coast is as long as the coast.
        points = sys.modules["shapely"].get_num_coordinates(value)
        return str(value) if points <= 8 else f"<{value.geom_type} of {points} points>"
    return _cut(str(value))


# pandas.


def _of_pandas(value: Any) -> dict[str, Any]:
    pandas = sys.modules["pandas"]
    if pandas.get_option("display.html.table_schema"):
        return value._repr_data_resource_()
    count = len(value)
    if value.ndim == 1:
        columns = 1
        head = value.iloc[:ROWS].to_frame("values" if value.name is None else value.name)
    else:
        columns = value.shape[1]
        head = value.iloc[:ROWS, :COLUMNS]
    index = head.index
    keys: list[str] = []
    parts: list[Any] = []
    for level in range(index.nlevels):
        values = index.get_level_values(level) if index.nlevels > 1 else index
        parts.append(values)
        default = "index" if index.nlevels == 1 else f"level_{level}"
        keys.append(default if values.name is None else values.name)
    parts += [head.iloc[:, at] for at in range(head.shape[1])]
    names = _names([*keys, *head.columns])
    fields = [{"name": name, **_field(pandas, part.dtype)} for name, part in zip(names, parts, strict=True)]
    return _resource(fields, [list(part) for part in parts], count, columns, names[: len(keys)] if _is_key(index) else [])


def _is_key(index: Any) -> bool:
    # Of all rows it would cost as much as the frame is long.
    return bool(index.is_unique)


def _field(pandas: Any, kind: Any) -> dict[str, Any]:
    """What a column's type says of it; without `type` where it says nothing."""
    types = pandas.api.types
    if isinstance(kind, pandas.CategoricalDtype):
        categories = [_plain(_scalar(each)) for each in kind.categories[: CATEGORIES + 1]]
        listed = {"constraints": {"enum": categories}} if len(categories) <= CATEGORIES else {}
        return {"type": "any", **listed, "ordered": bool(kind.ordered)}
    if isinstance(kind, pandas.PeriodDtype):
        return {"type": "datetime", "freq": kind.freq.freqstr}
    if types.is_datetime64_any_dtype(kind):
        zone = getattr(kind, "tz", None)
        return {"type": "datetime", **({"tz": str(zone)} if zone is not None else {})}
    for is_one, name in (
        (types.is_bool_dtype, "boolean"),
        (types.is_integer_dtype, "integer"),
        (types.is_float_dtype, "number"),
        (types.is_timedelta64_dtype, "duration"),
    ):
        if is_one(kind):
            return {"type": name}
    return {"type": "string"} if isinstance(kind, pandas.StringDtype) else {}


def _scalar(value: Any) -> Any:
    """What stands for one value: dates as ISO 8601, what is missing as None."""
    kind = type(value)
    if kind in (str, int, bool, type(None)):
        return value
    module = kind.__module__.partition(".")[0]
    if module == "pandas":
        if kind.__name__ in ("NAType", "NaTType"):
            return None
        if kind.__name__ == "Period":
            return value.start_time.isoformat().removesuffix("T00:00:00")
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    if module == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return _scalar(value.item())
    if module == "datetime" and hasattr(value, "isoformat"):
        return value.isoformat()
    return value


# polars.


def _of_polars(value: Any) -> dict[str, Any]:
    count = len(value)
    if not hasattr(value, "columns"):
        columns = 1
        parts = [value.head(ROWS)]
        names = _names([value.name or "values"])
    else:
        columns = len(value.columns)
        head = value.head(ROWS)
        parts = [head[name] for name in value.columns[:COLUMNS]]
        names = _names(value.columns[:COLUMNS])
    fields = [{"name": name, "type": _polars_type(str(part.dtype))} for name, part in zip(names, parts, strict=True)]
    return _resource(fields, [part.to_list() for part in parts], count, columns, [])


def _polars_type(kind: str) -> str:
    for begin, name in (
        ("Int", "integer"),
        ("UInt", "integer"),
        ("Float", "number"),
        ("Bool", "boolean"),
        ("Datetime", "datetime"),
        ("Date", "date"),
        ("Time", "time"),
        ("Duration", "duration"),
    ):
        if kind.startswith(begin):
            return name
    return "string"
