"""One order out of its CSV rows: its fields, its lines, and the parcels they travel in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from portal.sources.csv_columns import COLUMNS, Column, Group
from portal.sources.document import MOST_LINES
from portal.sources.entry import Entry, Wrong, entry_of
from portal.sources.matching import tracking_key
from portal.sources.sentences import FieldError

MOST_ROWS: Final = 2 * MOST_LINES  # lines, and parcels without lines
CURRENCY: Final = re.compile("[A-Z]{3}", re.ASCII)
INDEX: Final = re.compile(r"\.\d+")
NAMES: Final = ("carrier", "tracking_number")  # what a parcel is known by, in any spelling
# Where a sentence about a whole line, parcel or order is best put right.
BLAMED: Final[Mapping[str, str]] = {
    "": "number",
    "lines": "discount",
    "shipments": "tracking_number",
    "shipments.lines": "quantity",
    "shipments.lines.sku": "sku",
    "shipments.lines.quantity": "quantity",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the spreadsheet, its cells that are not empty, what is wrong."""

    number: int
    cells: Mapping[str, str]
    wrong: tuple[Wrong, ...] = ()

    def of(self, group: Group) -> list[tuple[Column, str]]:
        """The cells of one group that are filled."""
        named = ((COLUMNS[name], text) for name, text in self.cells.items())
        return [(column, text) for column, text in named if column.group == group]


@dataclass
class Draft:
    """An order being put together. `at` says in which row and column a field stands."""

    first: int
    currency: str
    document: dict[str, Any] = field(default_factory=dict)
    at: dict[str, tuple[int, str]] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)

    def put(self, path: str, row: int, column: Column, text: str) -> None:
        """Fill one field; another text for it in a later row is an error."""
        value = self._read(row, column, text)
        if value is None:
            return
        if path in self.at:
            first, name = self.at[path]
            if self._value(path) != value:
                said = f"This differs from {name} in row {first}. Make them the same."
                self.wrong.append(Wrong(row, column.name, said))
            return
        self.at[path] = (row, column.name)
        *parents, last = path.split(".")
        place: Any = self.document
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
        place[last] = value

    def find(self, error: FieldError) -> Wrong:
        """Where in the file a field of the document stands."""
        path = error["field"]
        nearest = path
        while nearest and nearest not in self.at:
            nearest = nearest.rpartition(".")[0]
        row, column = self.at.get(nearest) or self.at.get("number", (self.first, "number"))
        if nearest != path or nearest in BLAMED or nearest[-1:].isdigit():
            column = _column_of(path)
        return Wrong(row, column, error["message"])

    def _read(self, row: int, column: Column, text: str) -> Any:
        try:
            return column.read(text, self.currency)
        except ValueError as error:
            self.wrong.append(Wrong(row, column.name, str(error)))
            return None

    def _value(self, path: str) -> Any:
        place: Any = self.document
        for name in path.split("."):
            place = place[int(name)] if isinstance(place, list) else place.get(name)
        return place


def order_of(rows: Sequence[Row]) -> Entry:
    """The order that these rows tell of."""
    draft = Draft(rows[0].number, _currency(rows))
    for row in rows:
        draft.wrong += row.wrong
        for column, text in row.of("order"):
            if column.path != "number" or row is rows[0]:
                draft.put(column.path, row.number, column, text)
        _line(draft, row)
        _parcel(draft, row)
    number = rows[0].cells["number"]
    if len(rows) > MOST_ROWS:
        said = f"This order has more than {MOST_ROWS} rows; an order has up to {MOST_LINES} lines."
        draft.wrong.append(Wrong(rows[-1].number, "number", said))
    return entry_of(rows[0].number, number, draft.document, draft.wrong, draft.find)


def _currency(rows: Sequence[Row]) -> str:
    """What amounts are read in; '' where it is no code, which the document refuses by itself."""
    said = next((row.cells["currency"] for row in rows if "currency" in row.cells), "")
    return said if CURRENCY.fullmatch(said) else ""


def _line(draft: Draft, row: Row) -> None:
    cells = row.of("line")
    if not cells:
        return
    lines = draft.document.setdefault("lines", [])
    path = f"lines.{len(lines)}"
    lines.append({})
    draft.at[path] = (row.number, "sku")
    for column, text in cells:
        draft.put(f"{path}.{column.path}", row.number, column, text)


def _parcel(draft: Draft, row: Row) -> None:
    """The row's parcel, which other rows may share; it holds what the row is about."""
    cells = row.of("parcel")
    if not cells:
        return
    parcels = draft.document.setdefault("shipments", [])
    key = _parcel_key(row.cells)
    place = next((n for n, each in enumerate(parcels) if _parcel_key(each) == key), len(parcels))
    path = f"shipments.{place}"
    if place == len(parcels):
        parcels.append({})
        draft.at[path] = (row.number, "tracking_number")
    for column, text in cells:
        if column.path not in NAMES or column.path not in parcels[place]:
            draft.put(f"{path}.{column.path}", row.number, column, text)
    if "sku" not in row.cells:
        return
    held = parcels[place].setdefault("lines", [])
    draft.at[f"{path}.lines.{len(held)}"] = (row.number, "quantity")
    line = draft.document["lines"][-1]
    held.append({name: line[name] for name in ("sku", "quantity") if name in line})


def _parcel_key(found: Mapping[str, Any]) -> tuple[str, str]:
    carrier, number = found.get("carrier") or "", found.get("tracking_number") or ""
    return carrier.casefold(), tracking_key(number)


def _column_of(path: str) -> str:
    """The column that fills a field of the document, by the field's path."""
    plain = INDEX.sub("", path)
    if plain in BLAMED:
        return BLAMED[plain]
    group, _, rest = plain.partition(".")
    wanted = {"lines": ("line", rest), "shipments": ("parcel", rest)}.get(group, ("order", plain))
    named = (each.name for each in COLUMNS.values() if (each.group, each.path) == wanted)
    return next(named, plain)
