"""Bringing orders in from a file: first everything is checked, then it is stored, in batches.

A batch is one short transaction: the site goes on meanwhile, and an import that was stopped
half-way is simply started again, because every order is known by its number. The check tries what
concerns an order that is there already and takes it back; a new one is judged by itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import click
from sqlalchemy import select

from portal import clock
from portal.db import inside, session, writing
from portal.keys import has_key
from portal.models import Order
from portal.models.change import Conflict
from portal.sources.document import OrderDocument
from portal.sources.entry import Entry, Format, Unreadable, Wrong, each_once
from portal.sources.matching import number_key
from portal.sources.sentences import Invalid
from portal.sources.whole import check_new

BATCH = 50  # orders in one transaction
WHO = "operator"
UNCHECKED = (
    "Whether this quote is ours can be checked with the house's SECRET_KEY only, and it is not "
    "set. Set it, or leave the quote out."
)


class _TakenBack(Exception):
    """The end of a batch that was only tried."""


class _Stop(Exception):
    """Something came up that the check had not seen."""


@dataclass
class Tally:
    """What a run over the file came to."""

    created: int = 0
    changed: int = 0
    same: int = 0
    bad: int = 0
    errors: int = 0


@dataclass
class Import:
    """One file on its way into one shop. `told` hears of everything that is wrong, in order."""

    path: Path
    kind: Format
    shop_id: int
    told: Callable[[Wrong], None]
    tally: Tally = field(default_factory=Tally)

    def check(self) -> Tally:
        """Judge everything and store nothing."""
        return self._over("Checking ", self._check)

    def store(self, *, skip: bool) -> Tally:
        """Store what is good, a batch a transaction. Without `skip` the first batch that holds
        anything bad ends it, unstored.
        """
        return self._over("Importing", lambda batch: self._store(batch, skip=skip))

    def _over(self, label: str, act: Callable[[Sequence[Entry]], None]) -> Tally:
        self.tally = Tally()
        try:
            for batch in self._batches(label):
                for entry in batch:
                    if entry.errors:
                        self._wrong(entry.errors)
                act(batch)
        except Unreadable as error:
            self._wrong(error.errors)
        except _Stop:
            pass
        return self.tally

    def _batches(self, label: str) -> Iterator[list[Entry]]:
        """The file's entries, some at a time, with a bar that shows how far they are."""
        size = self.path.stat().st_size
        with (
            self.path.open("rb") as file,
            click.progressbar(length=size, label=label, file=sys.stderr) as bar,
        ):
            entries = map(_judged, each_once(self.kind.read(file)))
            done = 0
            while batch := list(islice(entries, BATCH)):
                yield batch
                bar.update(file.tell() - done)
                done = file.tell()

    def _check(self, batch: Sequence[Entry]) -> None:
        there = self._numbers_there(batch)
        known = []
        for entry, document in _good(batch):
            if number_key(document.number) in there:
                known.append((entry, document))
                continue
            try:
                check_new(document)
                self.tally.created += 1
            except Invalid as error:
                self._wrong([entry.find(each) for each in error.errors], entry.number)
        if known:
            with suppress(_TakenBack), inside(self.shop_id), writing():
                self._put(known)
                raise _TakenBack
            session.remove()

    def _store(self, batch: Sequence[Entry], *, skip: bool) -> None:
        before = replace(self.tally)
        with inside(self.shop_id), writing():
            self._put(_good(batch))
            if self.tally.bad > before.bad and not skip:
                self.tally = replace(before, bad=self.tally.bad, errors=self.tally.errors)
                raise _Stop

    def _numbers_there(self, batch: Sequence[Entry]) -> set[str]:
        keys = [number_key(document.number) for _, document in _good(batch)]
        with inside(self.shop_id):
            found = session.scalars(select(Order.number_key).where(Order.number_key.in_(keys)))
            return set(found)

    def _put(self, good: Iterable[tuple[Entry, OrderDocument]]) -> None:
        """Store the orders; of one that cannot be stored, nothing."""
        for entry, document in good:
            now = clock.now()
            try:
                with session.begin_nested():
                    order, created = Order.upsert(document, now, WHO)
            except Invalid as error:
                self._wrong([entry.find(each) for each in error.errors], entry.number)
            except Conflict as error:
                self._wrong([Wrong(entry.row, "number", str(error))], entry.number)
            else:
                self.tally.created += created
                self.tally.changed += not created and order.updated_at == now
                self.tally.same += not created and order.updated_at != now

    def _wrong(self, errors: Sequence[Wrong], number: str = "") -> None:
        self.tally.bad += 1
        for error in errors:
            self.tally.errors += 1
            self.told(Wrong(error.row, error.column, error.message, error.number or number))


def _judged(entry: Entry) -> Entry:
    """The entry; a signed quote that nobody here could check is an error, not a refusal of it."""
    if entry.document is None or not entry.document.protection_quote or has_key():
        return entry
    wrong = Wrong(entry.row, "protection_quote", UNCHECKED, entry.number)
    return replace(entry, document=None, errors=(wrong,))


def _good(batch: Iterable[Entry]) -> list[tuple[Entry, OrderDocument]]:
    return [(entry, entry.document) for entry in batch if entry.document is not None]
