"""What a file of orders gives: one entry an order, with its document or with what is wrong."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final

from portal.sources.document import OrderDocument
from portal.sources.matching import number_key
from portal.sources.sentences import FieldError, Invalid, read_as

LONGEST_LINE: Final = 4_000_000  # bytes
PIECE: Final = 64 * 1024  # bytes read at once
UTF8: Final = codecs.getincrementaldecoder("utf-8")


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing to put right: where it stands, what is wrong and what to do."""

    row: int
    column: str
    message: str
    number: str = ""  # the order's, where it could be read


@dataclass(frozen=True, slots=True)
class Entry:
    """One order of a file. Where `errors` is not empty there is nothing to import of it."""

    row: int
    number: str
    document: OrderDocument | None
    errors: tuple[Wrong, ...] = ()
    find: Callable[[FieldError], Wrong] = field(default=lambda error: Wrong(0, "", ""), repr=False)


class Unreadable(Exception):
    """The file as a whole cannot be read from here on. Its `errors` say why."""

    def __init__(self, *errors: Wrong) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file. `read` takes it open for bytes, and gives its orders one after another.

    It holds one order in memory at a time, and raises Unreadable.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[BinaryIO], Iterator[Entry]]


def entry_of(
    row: int,
    number: str,
    found: Mapping[str, Any],
    errors: Sequence[Wrong],
    find: Callable[[FieldError], Wrong],
) -> Entry:
    """Read one order strictly; `find` says where in the file a field stands."""
    document = None
    wrong = list(errors)
    try:
        document = read_as(OrderDocument, found)
    except Invalid as invalid:
        known = {(error.row, error.column) for error in errors}
        more = (find(error) for error in invalid.errors)
        wrong += [error for error in more if (error.row, error.column) not in known]
    named = tuple(replace(error, number=number) for error in wrong)
    return Entry(row, number, None if named else document, named, find)


def each_once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries, those with a number that stood in the file before as errors."""
    seen: dict[str, int] = {}
    for entry in entries:
        key = number_key(entry.number)
        first = seen.setdefault(key, entry.row) if key else entry.row
        if first == entry.row:
            yield entry
            continue
        twice = Wrong(
            entry.row,
            "number",
            f"Order {entry.number} stands in this file before, in row {first}. Keep one; the rows "
            "of one order stand together.",
            entry.number,
        )
        yield replace(entry, document=None, errors=(*entry.errors, twice))


def text_lines(file: BinaryIO) -> Iterator[str]:
    """The file's lines with their ends, as text. Raises Unreadable where it is not UTF-8."""
    for row, raw in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1):
        if len(raw) == LONGEST_LINE:
            said = f"This line is longer than {LONGEST_LINE} bytes. Check that quotes close."
            raise Unreadable(Wrong(row, "", said))
        yield _decoded(_opened(raw) if row == 1 else raw, row, UTF8())


def text_pieces(file: BinaryIO) -> Iterator[str]:
    """The file as text in pieces of no particular length. Raises Unreadable."""
    decoder = UTF8()
    row, raw = 1, _opened(file.read(PIECE))
    while raw:
        following = file.read(PIECE)
        yield _decoded(raw, row, decoder, final=not following)
        row += raw.count(b"\n")
        raw = following


def _decoded(raw: bytes, row: int, decoder: codecs.IncrementalDecoder, final: bool = True) -> str:
    try:
        text = decoder.decode(raw, final)
    except UnicodeDecodeError as error:
        at = row + error.object.count(b"\n", 0, error.start)
        raise Unreadable(Wrong(at, "", _not_utf8(error.object[error.start]))) from None
    if "\0" in text:
        said = "This is no text file: it holds NUL characters. Export it as CSV UTF-8 or JSON."
        raise Unreadable(Wrong(row, "", said))
    return text


def _not_utf8(byte: int) -> str:
    return (
        f"The file is not UTF-8 here (byte {byte:#04x}), so letters such as ä would be lost. Save "
        "it as “CSV UTF-8” (Excel) or with the character set UTF-8 (LibreOffice), and try again."
    )


def _opened(raw: bytes) -> bytes:
    """The beginning of a file without its mark. Raises Unreadable for what is no text in UTF-8."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        said = "The file is UTF-16 (“Unicode text”). Save it as “CSV UTF-8” and try again."
        raise Unreadable(Wrong(1, "", said))
    if raw.startswith(b"PK\x03\x04"):
        said = "This is a workbook, not a CSV file. In your spreadsheet: Save as, “CSV UTF-8”."
        raise Unreadable(Wrong(1, "", said))
    return raw.removeprefix(codecs.BOM_UTF8)
