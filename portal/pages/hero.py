"""The first screen: what happened, and when it arrives."""

from dataclasses import dataclass
from datetime import date

from portal.pages.arrival_words import basis
from portal.pages.dates import Calendar
from portal.pages.facts import ParcelFacts
from portal.pages.history import place
from portal.pages.speech import _
from portal.pages.state import State
from portal.pages.words import Tone, Words, words

UNSETTLED = {State.ADDRESS, State.INFORMATION, State.DAMAGED, State.REFUSED, State.HELD}
DATELESS = UNSETTLED | {State.LOST, State.RETURNING, State.PICKUP}
FINAL = {State.DELIVERED, State.RETURNED, State.CANCELLED, State.EXPIRED}


@dataclass(frozen=True)
class Hero:
    """The first screen. `prefix` completes `headline` to a sentence for those who listen."""

    state: State
    tone: Tone
    word: str
    prefix: str
    headline: str
    time: str = ""  # "at 9:35 am", kept together after the day
    aside: str = ""  # the full date when the headline says only "Today"
    was: str = ""  # the earlier date, struck through
    why: str = ""

    @property
    def text(self) -> str:
        """The whole line as one would say it: "Delivered Thursday 12 June at 1:35 pm"."""
        return " ".join(part for part in (self.prefix, self.headline, self.time) if part)


@dataclass(frozen=True)
class Headline:
    """The largest words, in the parts they are set in."""

    text: str
    prefix: str = ""
    time: str = ""
    aside: str = ""
    window: tuple[date, date] | None = None  # what it says, where that is an arrival ahead


def hero(parcel: ParcelFacts, state: State, said: Words, cal: Calendar) -> Hero:
    """The first screen of one parcel."""
    line = _headline(parcel, state, cal)
    return Hero(
        state,
        said.tone,
        said.word,
        prefix=line.prefix,
        headline=line.text,
        time=line.time,
        aside=line.aside,
        was=_was(parcel, state, cal),
        why=" ".join(filter(None, (_why(parcel, state, said), _basis(parcel, line, cal)))),
    )


def _why(parcel: ParcelFacts, state: State, said: Words) -> str:
    if state is State.DELIVERED:
        ends = [scan for scan in parcel.scans if scan.status == "delivered" and not scan.hidden]
        where = place(max(ends, key=lambda scan: scan.at)) if ends else ""
        if where and parcel.signed_by:
            return _("In %(place)s, against a signature.", place=where)
        return _("In %(place)s.", place=where) if where else said.sentence
    if state is State.PACKED and "silent" in parcel.overlays:
        return _(
            "It is packed, but %(carrier)s has not scanned it yet. That is longer than usual: "
            "we are asking.",
            carrier=parcel.carrier_name or _("the carrier"),
        )
    return said.sentence


def _headline(parcel: ParcelFacts, state: State, cal: Calendar) -> Headline:
    """What stands largest: a date wherever there is one."""
    if state is State.DELIVERED:
        return _delivered(parcel, cal)
    if state is State.PICKUP:
        until = parcel.pickup_until
        day = _("By %(day)s", day=cal.long(until)) if until else _("Ready to collect")
        return Headline(day)
    if state in (State.LOST, State.EXPIRED, State.RETURNING, State.RETURNED):
        return Headline(_turning_point(parcel, state, cal))
    if state is State.CANCELLED:
        return Headline(_("This parcel was cancelled"))
    return _arrival(parcel, state, cal)


def _delivered(parcel: ParcelFacts, cal: Calendar) -> Headline:
    if parcel.delivered_at is None:
        return Headline(_("It has arrived"))
    at = cal.local(parcel.delivered_at, parcel.delivered_offset_minutes)
    return Headline(
        prefix=_("Delivered"),
        text=cal.long(at.date()),
        time=_("at %(time)s", time=cal.clock(at)),
    )


def _turning_point(parcel: ParcelFacts, state: State, cal: Calendar) -> str:
    at = parcel.delivered_at if state is State.RETURNED else parcel.since
    if at is None:
        return words(state, parcel.carrier_name).word
    day = cal.long(cal.local(at).date())
    texts = {
        State.LOST: _("Last seen %(day)s", day=day),
        State.EXPIRED: _("Last seen %(day)s", day=day),
        State.RETURNING: _("Turned back %(day)s", day=day),
        State.RETURNED: _("Back since %(day)s", day=day),
    }
    return texts[state]


def _arrival(parcel: ParcelFacts, state: State, cal: Calendar) -> Headline:
    last = parcel.eta_to or parcel.eta_from
    if state is State.OUT_FOR_DELIVERY:  # the van is the newer fact than any date it was given
        return Headline(cal.day_name(cal.today), _("Arriving"), aside=cal.long(cal.today))
    if last is None:
        asked = parcel.first_eta and state not in FINAL
        return Headline(_("New date not known yet") if asked else _("Arrival date not known yet"))
    if last < cal.today or state in UNSETTLED:
        return Headline(_("New date not known yet"))
    first = max(parcel.eta_from or last, cal.today)
    name = cal.day_name(last) if first >= last else ""
    return Headline(
        prefix=_("Arriving"),
        text=name or cal.span(first, last),
        aside=cal.long(last) if name else "",
        window=(first, last),
    )


def _basis(parcel: ParcelFacts, line: Headline, cal: Calendar) -> str:
    """On what the date stands, where that is not the carrier's word."""
    if line.window is None:
        return ""
    return basis(parcel, line.window[1], cal)


def _was(parcel: ParcelFacts, state: State, cal: Calendar) -> str:
    """The date we showed first, once the parcel will come later than that."""
    if state in FINAL or state in DATELESS - UNSETTLED:
        return ""
    is_today = state is State.OUT_FOR_DELIVERY
    last = cal.today if is_today else parcel.eta_to or parcel.eta_from
    old: date | None = parcel.first_eta or last
    if old is None:
        return ""
    if state is State.ATTEMPT_FAILED and last is None and old >= cal.today:
        return ""  # it came sooner than we said
    if last is not None and old >= last >= cal.today and state not in UNSETTLED:
        return ""
    return _("was %(day)s", day=cal.long(old))
