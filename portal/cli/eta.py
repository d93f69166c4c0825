"""`porchlight eta`: how good arrival windows would have been on deliveries that are over.

It needs neither settings nor a database: a file of deliveries is all it reads.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import click

from carriers.backtest import Finished, Plain, Score, backtest, first_scored
from carriers.eta import Arrivals, Trip

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEEDED = (
    *("carrier_at", "delivered_at", "promised_date"),
    *("origin_state", "origin_zip3", "dest_state", "dest_zip3"),
)
LONGEST_SHOWN = 40


@click.group()
def eta() -> None:
    """Arrival windows: how well they would have held."""


@eta.command(name="backtest")
@click.argument("file", type=FILE)
@click.option("--since", help="First hand-over scored, as 2017-11-01. Default: after 60 % of rows.")
def tried(file: Path, since: str | None) -> None:
    """Tell the arrival of each delivery in FILE from what had arrived before it was handed over.

    FILE is CSV. Ends with one line of JSON: the figures, and those of a plain baseline.
    """
    begins = _moment(since, "--since") if since else None
    parcels, unfinished = _read(file)
    begins = begins or first_scored(parcels)
    ours, plain = (backtest(model, parcels, begins) for model in (Arrivals(), Plain()))
    if ours is None or plain is None:
        raise click.ClickException(
            f"No row could be scored from {begins:%Y-%m-%d} on: at least 30 deliveries must be over"
            " before a hand-over after that date. Give an earlier --since, or more rows."
        )
    if unfinished:
        click.echo(f"{unfinished} rows without hand-over or delivery were left out.")
    for line in _shown(ours, plain, begins):
        click.echo(line)
    click.echo(json.dumps(ours.to_json() | {"baseline": plain.to_json()}))


def _shown(ours: Score, plain: Score, begins: datetime) -> Iterator[str]:
    yield f"{ours.rows} parcels handed over from {begins:%Y-%m-%d} on{'':17}baseline"
    for words, mine, its in (
        ("mean error of the middle, days", ours.mae_days, plain.mae_days),
        ("share inside the 80 % window", ours.coverage_80, plain.coverage_80),
        ("mean width of the window, days", ours.width_days, plain.width_days),
        *(
            (f"pinball loss at {share} %", ours.pinball[share], plain.pinball[share])
            for share in ours.pinball
        ),
        ("share later than the last day", ours.late_after_window, plain.late_after_window),
        ("rows per second", ours.rows_per_second, plain.rows_per_second),
    ):
        yield f"  {words:32} {mine:12} {its:12}"
    for month, (parcels, held) in ours.months.items():
        yield f"  {month}: {parcels} parcels, {held:.1%} inside"


def _read(file: Path) -> tuple[list[Finished], int]:
    parcels: list[Finished] = []
    unfinished = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            for found in _rows(csv.DictReader(opened, strict=True)):
                if found is None:
                    unfinished += 1
                else:
                    parcels.append(found)
    except UnicodeDecodeError as error:
        raise click.ClickException(
            f"{file.name} is not UTF-8 text ({error.reason}). Save it as CSV in UTF-8."
        ) from error
    except csv.Error as error:
        raise click.ClickException(f"{file.name} is not readable as CSV: {error}.") from error
    if not parcels:
        raise click.ClickException(
            f"{file.name} holds no delivery. Give at least one finished row."
        )
    parcels.sort(key=lambda parcel: parcel.trip.handed_over_at)
    return parcels, unfinished


def _rows(reader: csv.DictReader[str]) -> Iterator[Finished | None]:
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise click.ClickException(
            f"The first line names no column {', '.join(missing)}. Needed are: {', '.join(NEEDED)}."
        )
    for row in reader:
        yield _finished(row, f"line {reader.line_num}")


def _finished(row: dict[str, str | None], where: str) -> Finished | None:
    def text(column: str) -> str:
        return (row[column] or "").strip()

    if not text("carrier_at") or not text("delivered_at"):
        return None
    handed_over_at = _moment(text("carrier_at"), f"{where}, column carrier_at")
    delivered_at = _moment(text("delivered_at"), f"{where}, column delivered_at")
    if delivered_at < handed_over_at:
        raise click.ClickException(
            f"{where}, column delivered_at: delivered {delivered_at}, before the hand-over at "
            f"{handed_over_at}. Mend or remove the row."
        )
    trip = Trip(
        handed_over_at,
        origin=text("origin_state"),
        origin_area=text("origin_zip3"),
        destination=text("dest_state"),
        destination_area=text("dest_zip3"),
        promised=_promised(text("promised_date"), f"{where}, column promised_date"),
    )
    return Finished(trip, delivered_at)


def _promised(text: str, where: str) -> date | None:
    return _moment(text, where).date() if text else None


def _moment(text: str, where: str) -> datetime:
    """A moment of the file, without zone; one with an offset is taken to UTC."""
    try:
        at = datetime.fromisoformat(text)
        return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise click.ClickException(
            f"{where}: {text[:LONGEST_SHOWN]!r} is not a date. Write it as 2017-11-01T16:30:00."
        ) from error


commands = (eta,)
