"""`porchlight orders import`: orders out of a file, all of them or none."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from portal.cli.house import open_house
from portal.cli.importing import Import, Tally
from portal.cli.shops import shop_named
from portal.format import harmless
from portal.jobs import nudge
from portal.sources.entry import Format, Wrong
from portal.sources.files import COMING, FORMATS, format_of

SHOWN = 20  # errors on the screen; --errors keeps all of them


@click.group()
def orders() -> None:
    """Bring orders in."""


@orders.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--shop", "slug", required=True, help="The slug of the shop they belong to.")
@click.option(
    "--format", "name", type=click.Choice([*FORMATS, *COMING]), help="Default: by ending."
)
@click.option("--dry-run", is_flag=True, help="Check everything and store nothing.")
@click.option("--skip-bad-rows", is_flag=True, help="Import the good orders though others are bad.")
@click.option("--errors", "errors", type=click.Path(dir_okay=False, path_type=Path), metavar="CSV",
              help="Write everything that is wrong into this file.")  # fmt: skip
def import_orders(
    file: Path,
    slug: str,
    name: str | None,
    dry_run: bool,
    skip_bad_rows: bool,
    errors: Path | None,
) -> None:
    """Import the orders in FILE. With one bad row nothing is imported; see docs/import.md.

    Orders are known by their numbers, so that the same file may be imported again.
    """
    kind = _format(file, name)
    with open_house(), _report(errors) as report:
        run = Import(file, kind, shop_named(slug).id, report.tell)
        checked = run.check()
        report.end()
        if checked.bad and not skip_bad_rows:
            raise click.ClickException(_refused(checked))
        if dry_run:
            click.echo(f"Dry run: {_counted(checked)}. Nothing was stored.")
            return
        _store(run, report, checked, skip=skip_bad_rows)


def _format(file: Path, name: str | None) -> Format:
    if name in COMING:
        raise click.ClickException(
            f"Files of {name} cannot be read yet; the name is kept for them. Bring the orders as "
            "csv or json (docs/import.md), or through the API."
        )
    kind = FORMATS[name] if name else format_of(file)
    if kind is None:
        raise click.ClickException(
            f"The ending of {file.name} does not say what it is. Add --format csv or --format json."
        )
    return kind


def _store(run: Import, report: Report, checked: Tally, *, skip: bool) -> None:
    report.begin_again(checked.errors)
    stored = run.store(skip=skip)
    nudge("poll")
    nudge("picture")
    click.echo(f"Imported: {_counted(stored)}.")
    if stored.bad:
        click.echo(f"Left out: {stored.bad} with errors.")
    if stored.bad > checked.bad:
        raise click.ClickException(
            "Something changed between check and import; what came up is told above. What was "
            "imported stays. Correct it and run the same command again: it goes on from there."
        )


def _refused(checked: Tally) -> str:
    return (
        f"{checked.errors} errors in {checked.bad} orders, so nothing was imported. Correct the "
        "file and run it again, or add --skip-bad-rows to import the others."
    )


def _counted(tally: Tally) -> str:
    return f"{tally.created} new, {tally.changed} changed, {tally.same} the same as before"


class Report:
    """What is wrong with a file: the first errors on the screen, all of them in a file if asked."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._told = 0
        self._known = 0

    def tell(self, wrong: Wrong) -> None:
        """Take in one error."""
        self._told += 1
        if self._told <= self._known:
            return
        if self._writer:
            cells = (wrong.row, wrong.number, wrong.column, wrong.message)
            self._writer.writerow([harmless(str(cell)) for cell in cells])
        if self._told <= self._known + SHOWN:
            column = f", {wrong.column}" if wrong.column else ""
            order = f" (order {_line(wrong.number)})" if wrong.number else ""
            click.echo(f"Row {wrong.row}{_line(column)}{order}: {wrong.message}", err=True)

    def end(self) -> None:
        """Say how many more there are than were shown."""
        if self._told > SHOWN:
            more = "" if self._writer else " --errors FILE.csv keeps them all."
            click.echo(f"… and {self._told - SHOWN} more.{more}", err=True)

    def begin_again(self, known: int) -> None:
        """The file is read a second time: the errors that were told are not told again."""
        self._told, self._known = 0, known


@contextmanager
def _report(path: Path | None) -> Iterator[Report]:
    if path is None:
        yield Report(None)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "order", "column", "what is wrong and what to do"))
        yield Report(writer)


def _line(text: str) -> str:
    """A text from the file as the screen may show it."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)[:120]


commands = (orders,)
