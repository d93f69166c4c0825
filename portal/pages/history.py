"""The journey so far: newest first, under the name of its day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from portal.pages.dates import Calendar, zone_name
from portal.pages.facts import ParcelFacts, ScanFacts
from portal.pages.names import town
from portal.pages.scan_words import scan_words
from portal.pages.speech import _

OPEN = 3  # how many entries are shown before "Show all"


@dataclass(frozen=True)
class Entry:
    """One scan in words. `iso` and `title` are the absolute moment, with its zone."""

    text: str
    place: str
    time: str
    iso: str
    title: str


@dataclass(frozen=True)
class Day:
    """The entries of one local day, newest first."""

    name: str
    iso: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class History:
    """`newest` is open, `older` folds away; `zone_note` names the zone the times are in."""

    newest: tuple[Day, ...]
    older: tuple[Day, ...]
    total: int
    zone_note: str


def history(parcel: ParcelFacts, cal: Calendar) -> History:
    """Every scan that counts, told in our words."""
    scans = sorted(
        (scan for scan in parcel.scans if not scan.hidden), key=lambda scan: scan.at, reverse=True
    )
    moves = [scan for scan in scans if scan.status not in ("pre_transit", "unknown")]
    first_move = moves[-1] if moves else None
    told = [
        (cal.local(scan.at, scan.offset_minutes), _entry(scan, parcel, scan is first_move, cal))
        for scan in scans
    ]
    return History(
        _days(told[:OPEN], cal), _days(told[OPEN:], cal), len(told), _zone_note(scans, cal)
    )


def place(scan: ScanFacts) -> str:
    """Town and region of a scan, the country where there is no region."""
    return ", ".join(town(part) for part in (scan.city, scan.region or scan.country) if part)


def _entry(scan: ScanFacts, parcel: ParcelFacts, is_first_move: bool, cal: Calendar) -> Entry:
    at = cal.local(scan.at, scan.offset_minutes)
    text = scan_words(scan, parcel.carrier_name, is_first_move and scan.status == "in_transit")
    return Entry(text, place(scan), cal.clock(at), at.isoformat(timespec="seconds"), cal.full(at))


def _days(told: Sequence[tuple[datetime, Entry]], cal: Calendar) -> tuple[Day, ...]:
    return tuple(
        Day(cal.near(day), day.isoformat(), tuple(entry for _at, entry in group))
        for day, group in groupby(told, key=lambda pair: pair[0].date())
    )


def _zone_note(scans: Sequence[ScanFacts], cal: Calendar) -> str:
    zoneless = [scan for scan in scans if scan.offset_minutes is None]
    if not scans:
        return ""
    if not zoneless:
        return _("Times are local to each place.")
    name = zone_name(zoneless[0].at.astimezone(cal.zone), cal.locale)
    if len(zoneless) == len(scans):
        return _("Times are in %(zone)s.", zone=name)
    return _("Times are local to each place, or in %(zone)s where none was given.", zone=name)
