"""Orders as CSV: one row for each line of an order, its parcel in the same row.

The rows of one order stand together. What belongs to the order as a whole may stand in its first
row alone or in each of them. Comma, semicolon or tab between the cells; UTF-8.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import BinaryIO, Final, NamedTuple

from portal.sources.csv_columns import COLUMNS, Column, name_of, nearest, plain
from portal.sources.csv_order import MOST_ROWS, Row, order_of
from portal.sources.entry import LONGEST_LINE, Entry, Format, Unreadable, Wrong, text_lines
from portal.sources.matching import number_key

DELIMITERS: Final = (",", ";", "\t")
NO_ROWS: Final = (
    "The file is empty. It should begin with the names of its columns; see docs/import.md."
)


class Sheet(NamedTuple):
    """An open file behind its header."""

    columns: Sequence[Column]
    rows: Iterator[tuple[int, list[str]]]


def read(file: BinaryIO) -> Iterator[Entry]:
    """The orders of a CSV file. Raises Unreadable."""
    sheet = _open(file)
    rows = (_row(number, cells, sheet.columns) for number, cells in sheet.rows if any(cells))
    for key, own in groupby(rows, key=lambda row: number_key(row.cells.get("number", ""))):
        if key:
            yield order_of(_at_most(own))
        else:
            yield from (_nameless(row) for row in own)


def _open(file: BinaryIO) -> Sheet:
    lines = text_lines(file)
    header = next(lines, "")
    while header and not header.strip():
        header = next(lines, "")
    if not header:
        raise Unreadable(Wrong(1, "", NO_ROWS))
    file_rows = _records(header, lines)
    number, headings = next(file_rows)
    return Sheet(_columns(number, headings), file_rows)


def _records(header: str, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows as a spreadsheet counts them: a quoted line break does not begin another."""
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(_again(header, lines), delimiter=_delimiter(header), strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(Wrong(number, "", _why(error))) from None


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(header: str) -> str:
    """What stands between the cells: that which finds the most columns we know."""

    def known(delimiter: str) -> int:
        return sum(name_of(cell.strip().strip('"')) in COLUMNS for cell in header.split(delimiter))

    return max(DELIMITERS, key=lambda each: (known(each), header.count(each)))


def _columns(row: int, headings: Sequence[str]) -> list[Column]:
    """The columns in their order. Raises Unreadable for a header that is not all known."""
    wrong = [Wrong(row, heading, _unknown(heading)) for heading in headings if not _known(heading)]
    found = [COLUMNS[name_of(heading)] for heading in headings if _known(heading)]
    fields = [(column.group, column.path) for column in found]
    for place, column in enumerate(found):
        if fields.index(fields[place]) < place:
            other = found[fields.index(fields[place])].name
            said = f"This column says the same as {other} before it. Keep one of them."
            wrong.append(Wrong(row, column.name, said))
    names = {column.name for column in found}
    if "number" not in names and not wrong:
        said = "The column number is missing: without it nobody knows which order a row is of."
        wrong.append(Wrong(row, "number", said))
    if wrong:
        raise Unreadable(*wrong)
    return found


def _known(heading: str) -> bool:
    return name_of(heading) in COLUMNS


def _unknown(heading: str) -> str:
    if not heading.strip():
        return "A column has no name. Name it, or delete it."
    near = nearest(heading)
    meant = f"Did you mean {near}? If not, delete" if near else "Correct its name, or delete"
    return f"There is no column “{heading.strip()[:60]}”. {meant} the column."


def _row(number: int, cells: Sequence[str], columns: Sequence[Column]) -> Row:
    wrong: tuple[Wrong, ...] = ()
    if len(cells) != len(columns):
        wrong = (Wrong(number, "", _uneven(len(cells), len(columns))),)
    texts = (plain(cell) for cell in cells)
    named = zip(columns, texts, strict=False)
    return Row(number, {column.name: text for column, text in named if text}, wrong)


def _uneven(has: int, wanted: int) -> str:
    return (
        f"This row has {has} cells, the header {wanted}. Put a text that holds the delimiter into "
        "quotes; a file that ends in the middle of a row was cut off."
    )


def _at_most(rows: Iterator[Row]) -> list[Row]:
    """The rows of one order; of far too many only as many as show that."""
    return [row for place, row in enumerate(rows) if place <= MOST_ROWS]


def _nameless(row: Row) -> Entry:
    said = "This row has no order number. Every row of an order carries it."
    return Entry(row.number, "", None, (*row.wrong, Wrong(row.number, "number", said)))


def _why(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "A quote is opened and never closed, so the file ends inside a cell. Close it."
    return f"This row is not CSV ({error}). Inside quotes a quote is written twice."


FORMAT: Final = Format("csv", (".csv", ".tsv", ".txt"), read)
