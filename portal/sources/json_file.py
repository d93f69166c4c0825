"""Orders as JSON: an array of them, or JSON Lines with one on each line.

An array may be of any length: it is read a piece at a time. Its rows are counted by order, those
of JSON Lines by line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from carriers.reading import STRICT
from portal.sources.entry import Entry, Format, Unreadable, Wrong, entry_of, text_lines, text_pieces
from portal.sources.sentences import FieldError

LONGEST: Final = 4_000_000  # characters of one order in a list
NO_ORDERS: Final = "The file is empty. It should hold a list of orders, or one order on each line."


def read(file: BinaryIO) -> Iterator[Entry]:
    """The orders of a JSON file. Raises Unreadable."""
    start = file.tell()
    first = next((text for text in text_pieces(file) if text.strip()), "")
    file.seek(start)
    if not first:
        raise Unreadable(Wrong(1, "", NO_ORDERS))
    yield from _array(text_pieces(file)) if first.lstrip().startswith("[") else _by_line(file)


def _by_line(file: BinaryIO) -> Iterator[Entry]:
    for row, line in enumerate(text_lines(file), start=1):
        if not line.strip():
            continue
        try:
            found = STRICT.decode(line)
        except (ValueError, RecursionError) as error:
            yield Entry(row, "", None, (Wrong(row, "", _why(error)),))
        else:
            yield _entry(row, found)


def _array(pieces: Iterator[str]) -> Iterator[Entry]:
    """The elements of an array, of which no more is in memory than the one being read."""
    text = _from_first_sign("", pieces)[1:]
    row = 0
    text = _from_first_sign(text, pieces)
    while not text.startswith("]"):
        row += 1
        found, text = _element(text, pieces, row)
        yield _entry(row, found)
        text = _from_first_sign(text, pieces)
        if text.startswith(","):
            text = _from_first_sign(text[1:], pieces)
            if not text.startswith("]"):
                continue
        if not text.startswith("]"):
            raise Unreadable(Wrong(row, "", _no_comma(row)))
    if text[1:].strip() or any(piece.strip() for piece in pieces):
        raise Unreadable(Wrong(row, "", "Something stands behind the end of the list. Remove it."))


def _element(text: str, pieces: Iterator[str], row: int) -> tuple[Any, str]:
    """One element and the text behind it; more of the file is read until the element is whole."""
    while True:
        try:
            found, end = STRICT.raw_decode(text)
        except json.JSONDecodeError as error:
            piece = next(pieces, "")
            if not piece or len(text) > LONGEST:
                raise Unreadable(Wrong(row, "", _why(error))) from None
            text += piece
        except (ValueError, RecursionError) as error:
            raise Unreadable(Wrong(row, "", _why(error))) from None
        else:
            return found, text[end:]


def _from_first_sign(text: str, pieces: Iterator[str]) -> str:
    """The text without blanks before it. Raises Unreadable where the file ends instead."""
    text = text.lstrip()
    while not text:
        piece = next(pieces, None)
        if piece is None:
            raise Unreadable(Wrong(1, "", "The list does not end with “]”: the file was cut off."))
        text = piece.lstrip()
    return text


def _entry(row: int, found: object) -> Entry:
    def find(error: FieldError) -> Wrong:
        return Wrong(row, error["field"], error["message"])

    if not isinstance(found, dict):
        said = "An order must be an object in {}, as the API takes it. See docs/import.md."
        return Entry(row, "", None, (Wrong(row, "", said),), find)
    number = found.get("number")
    return entry_of(row, number if isinstance(number, str) else "", found, (), find)


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"This is not JSON ({error.msg}, at character {error.pos + 1}). Correct it there."
    if isinstance(error, RecursionError):
        return "This nests too deep. An order has a few levels; see docs/import.md."
    return f"This is not JSON that can be relied on: {error}. Correct it."


def _no_comma(row: int) -> str:
    return f"After order {row} comes neither a comma nor “]”. Put a comma between two orders."


FORMAT: Final = Format("json", (".json", ".jsonl", ".ndjson"), read)
