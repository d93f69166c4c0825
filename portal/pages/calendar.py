"""The arrival as a calendar entry (RFC 5545)."""

from datetime import UTC, date, datetime, timedelta

from portal.pages.dates import zone
from portal.pages.facts import OrderFacts, ParcelFacts
from portal.pages.speech import _

FOLD = 75  # octets a line, without its line break (RFC 5545, 3.1)


def calendar(order: OrderFacts, parcel: ParcelFacts, now: datetime, shop_name: str = "") -> str:
    """An all-day entry over the arrival window, both ends included.

    It never begins before today. Raises ValueError when no date is known, for then there is nothing
    to enter.
    """
    last = parcel.eta_to or parcel.eta_from
    if last is None:
        raise ValueError("no arrival date is known for this parcel")
    today = now.astimezone(zone(order.timezone)).date()
    first = min(max(parcel.eta_from or last, today), last)
    title = _("Parcel arrives: order %(number)s", number=order.number)
    about = " · ".join(part for part in (shop_name, parcel.carrier_name) if part)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Porchlight//Arrival//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_escape(parcel.id)}@porchlight",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{_day(first)}",
        f"DTEND;VALUE=DATE:{_day(last + timedelta(days=1))}",  # the end of a day entry is exclusive
        f"SUMMARY:{_escape(title)}",
        f"DESCRIPTION:{_escape(about)}",
        f"LOCATION:{_escape(order.destination_city)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _escape(text: str) -> str:
    """Text as a value: no line break or control character leaves its line."""
    for raw, safe in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n")):
        text = text.replace(raw, safe)
    text = text.replace("\r", "\\n").replace("\n", "\\n")
    return "".join(char for char in text if char.isprintable() or char == " ")


def _fold(line: str) -> str:
    """Break `line` every 75 octets, never inside a character."""
    folded, octets = [], 0
    for char in line:
        size = len(char.encode())
        if octets + size > FOLD:
            folded.append("\r\n ")
            octets = 1
        folded.append(char)
        octets += size
    return "".join(folded)
