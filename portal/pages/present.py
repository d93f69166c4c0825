"""Facts in, a page of ready texts out: pure, so that every state is tested without a browser.

Words come out in the language of the running request (flask_babel); `locale` gives the form of
dates and should be that same language, with the reader's region when it is known ("en_US").
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from portal.format import money
from portal.pages import claim_words
from portal.pages.arrival_words import aim
from portal.pages.dates import Calendar
from portal.pages.facts import ItemFacts, OrderFacts, ParcelFacts, ShopFacts
from portal.pages.hero import DATELESS, FINAL, Hero, hero
from portal.pages.history import History, history
from portal.pages.names import service, town
from portal.pages.policy_words import STATUSES
from portal.pages.speech import _, plural
from portal.pages.state import State, state_of
from portal.pages.stepper import Stepper, stepper
from portal.pages.unsent import unsent
from portal.pages.words import Tone, Words, words

ActionCode = Literal["updates", "change", "return", "carrier", "claim", "support"]


@dataclass(frozen=True)
class Action:
    """Something the reader can do; `url` is None where the template knows the page by its code.

    `query` is what that page is asked for.
    """

    code: ActionCode
    label: str
    url: str | None = None
    query: str = ""


@dataclass(frozen=True)
class Alert:
    """What to do now, in one or two sentences."""

    tone: Tone
    lead: str
    text: str
    action: Action | None = None


@dataclass(frozen=True)
class ParcelPage:
    """One parcel, told whole."""

    id: str
    title: str
    hero: Hero
    stepper: Stepper
    alerts: tuple[Alert, ...]
    carrier: str
    number: str
    number_groups: tuple[str, ...]
    carrier_url: str | None
    checked: str
    has_calendar: bool
    items: tuple[ItemFacts, ...]
    history: History


@dataclass(frozen=True)
class TrackingPage:
    """A tracking page, ready to be laid out. `announcement` is read out when it changes.

    `unsent` is what of the order is in no parcel yet, where the parcels say what they hold.
    """

    title: str
    order_line: str
    number: str
    hero: Hero
    stepper: Stepper | None
    actions: tuple[Action, ...]
    parcels: tuple[ParcelPage, ...]
    items: tuple[ItemFacts, ...]
    unsent: tuple[ItemFacts, ...]
    destination: str
    is_split: bool
    is_final: bool
    announcement: str
    changes_at: datetime
    returns: tuple[tuple[str, str, str], ...] = ()  # number, how it stands, token
    claims: tuple[tuple[str, str, str], ...] = ()  # the same
    is_claimable: bool = False  # whether something was sent that is in no claim yet
    cover: str = ""  # what was paid for protection
    is_coverable: bool = False


CHANGEABLE = {
    State.MOVING,
    State.NEAR,
    State.OUT_FOR_DELIVERY,
    State.LATE,
    State.ATTEMPT_FAILED,
    State.HELD,
    State.WEATHER,
    State.MISSORTED,
}


NOT_SENT = {State.PLACED, State.PACKED, State.CANCELLED}


def present(order: OrderFacts, shop: ShopFacts, now: datetime, locale: str) -> TrackingPage:
    """The tracking page of `order` as it reads at `now`."""
    cal = Calendar.at(now, locale, order.timezone, shop.timezone)
    parcels = tuple(
        _parcel(order, parcel, index, cal) for index, parcel in enumerate(order.parcels, 1)
    )
    is_split = len(parcels) > 1
    top = _order_hero(order, parcels, cal)
    only = parcels[0] if len(parcels) == 1 else None
    rest = unsent(order)
    is_over = bool(parcels) and not rest and all(one.hero.state in FINAL for one in parcels)
    return TrackingPage(
        title=_("Order %(number)s", number=order.number),
        order_line=_order_line(order),
        number=order.number,
        hero=top,
        stepper=_order_stepper(order, only, is_split, top, cal),
        actions=_actions(parcels, top, order, is_more_to_come=bool(rest)),
        parcels=parcels if not is_split else tuple(sorted(parcels, key=_urgency)),
        items=order.items,
        unsent=rest,
        destination=town(order.destination_city) or order.destination_country,
        is_split=is_split,
        is_final=is_over,
        announcement=f"{top.word}. {top.text}",
        changes_at=cal.midnight,
        returns=tuple((e.number, _(STATUSES[e.status]), e.token) for e in order.returns),
        claims=tuple((e.number, _(claim_words.STATUSES[e.status]), e.token) for e in order.claims),
        is_claimable=_is_claimable(order, parcels),
        cover=money(order.cover_minor, order.currency, locale) if order.cover_minor else "",
        is_coverable=order.is_coverable,
    )


def changes_at(order: OrderFacts, shop: ShopFacts, now: datetime) -> datetime:
    """The next moment (UTC) at which the page's words change by themselves.

    Only the names of days depend on the clock, so it is the next midnight where the parcel goes.
    """
    return Calendar.at(now, "en", order.timezone, shop.timezone).midnight


def _is_claimable(order: OrderFacts, parcels: tuple[ParcelPage, ...]) -> bool:
    return not order.is_all_held and any(p.hero.state not in NOT_SENT for p in parcels)


def _order_line(order: OrderFacts) -> str:
    count = sum(item.quantity for item in order.items)
    items = plural("%(num)d item", "%(num)d items", count)
    return _("Order %(number)s · %(items)s", number=order.number, items=items)


def _order_hero(order: OrderFacts, parcels: tuple[ParcelPage, ...], cal: Calendar) -> Hero:
    if order.status == "cancelled" and all(p.hero.state is State.CANCELLED for p in parcels):
        return _plain_hero(State.CANCELLED, _("This order was cancelled"))
    promise = order.promise.on(cal.today) if order.promise else None
    if not parcels and promise is not None:
        text = cal.span(promise.first, promise.last)
        placed = _plain_hero(State.PLACED, text)
        return replace(placed, prefix=_("Arriving"), why=aim())
    if not parcels:
        return _plain_hero(State.PLACED, _("Not shipped yet"))
    return parcels[0].hero if len(parcels) == 1 else _split_hero(parcels)


def _plain_hero(state: State, headline: str) -> Hero:
    said = words(state, "")
    return Hero(state, said.tone, said.word, prefix="", headline=headline, why=said.sentence)


def _split_hero(parcels: tuple[ParcelPage, ...]) -> Hero:
    """The whole order in one line, with the arrival of the parcel that comes next."""
    done = sum(parcel.hero.state is State.DELIVERED for parcel in parcels)
    count = plural(
        "%(done)s of %(num)d parcel delivered",
        "%(done)s of %(num)d parcels delivered",
        len(parcels),
        done=done,
    )
    following = min(parcels, key=_urgency).hero
    if done == len(parcels):
        return replace(following, word=count, why=_("Each parcel has its own card below."))
    why = _("That is the parcel that needs you or comes next. Each has its own card below.")
    return replace(following, word=count, prefix=_("Next parcel:"), why=why)


def _urgency(parcel: ParcelPage) -> int:
    """Parcels that need an act first, then those on their way, then those that are there."""
    order = [Tone.PROBLEM, Tone.ATTENTION, Tone.MOVING, Tone.DONE]
    near = parcel.hero.state in (State.OUT_FOR_DELIVERY, State.NEAR)
    return order.index(parcel.hero.tone) * 2 - near


def _order_stepper(
    order: OrderFacts, only: ParcelPage | None, is_split: bool, hero: Hero, cal: Calendar
) -> Stepper | None:
    if only is not None:
        return only.stepper
    return None if is_split else stepper(order, None, hero.state, hero.word, cal)


def _actions(
    parcels: tuple[ParcelPage, ...], hero: Hero, order: OrderFacts, *, is_more_to_come: bool
) -> tuple[Action, ...]:
    """At most three, the likeliest first. What is in a return already cannot start another."""
    actions = []
    if not order.is_all_held and any(parcel.hero.state is State.DELIVERED for parcel in parcels):
        actions.append(Action("return", _("Start a return")))
    if hero.state not in FINAL or is_more_to_come:
        actions.append(Action("updates", _("Get updates")))
    if len(parcels) == 1 and hero.state in CHANGEABLE and parcels[0].carrier_url:
        actions.append(Action("change", _("Change delivery"), parcels[0].carrier_url))
    return tuple(actions[:3])


def _parcel(order: OrderFacts, parcel: ParcelFacts, index: int, cal: Calendar) -> ParcelPage:
    last = parcel.eta_to or parcel.eta_from
    state = state_of(parcel, is_overdue=last is not None and last < cal.today)
    said = words(state, parcel.carrier_name, _since(parcel, cal), _next_check(parcel, cal))
    url = _web(parcel.tracking_url)
    return ParcelPage(
        id=parcel.id,
        title=_("Parcel %(index)s of %(count)s", index=index, count=len(order.parcels)),
        hero=hero(parcel, state, said, cal),
        stepper=stepper(order, parcel, state, said.word, cal),
        alerts=_alerts(order, parcel, said, url, cal),
        carrier=f"{parcel.carrier_name} {service(parcel.service, parcel.carrier_name)}".strip(),
        number=parcel.tracking_number,
        number_groups=_groups(parcel.tracking_number),
        carrier_url=url,
        checked=_moment(parcel.last_checked_at, cal) if parcel.last_checked_at else "",
        has_calendar=last is not None and last >= cal.today and state not in DATELESS | FINAL,
        items=parcel.items or (order.items if len(order.parcels) == 1 else ()),
        history=history(parcel, cal),
    )


def _alerts(
    order: OrderFacts, parcel: ParcelFacts, said: Words, url: str | None, cal: Calendar
) -> tuple[Alert, ...]:
    alerts = []
    if said.lead:
        tone = said.tone
        ask = _ask(said, parcel, url, is_all_held=order.is_all_held)
        alerts.append(Alert(tone, said.lead, said.advice, ask))
    if parcel.feed_problem and said.tone is not Tone.DONE:
        alerts.append(_feed_alert(parcel, cal))
    return tuple(alerts)


def _ask(said: Words, parcel: ParcelFacts, url: str | None, *, is_all_held: bool) -> Action | None:
    if said.ask == "carrier" and url:
        name = parcel.carrier_name or _("the carrier")
        return Action("carrier", _("See it at %(carrier)s", carrier=name), url)
    if said.ask == "claim":
        if is_all_held:
            return None
        asked = f"?kind=lost&shipment={parcel.id}"
        return Action("claim", _("Tell us what you would like instead"), query=asked)
    return Action("support", _("Write to us")) if said.ask == "support" else None


def _feed_alert(parcel: ParcelFacts, cal: Calendar) -> Alert:
    carrier = parcel.carrier_name or _("the carrier")
    lead = _("%(carrier)s's updates are not reaching us right now.", carrier=carrier)
    if parcel.last_checked_at is None:
        return Alert(Tone.ATTENTION, lead, _("We keep asking, and show them here."))
    known = _moment(parcel.last_checked_at, cal)
    text = _("Last answer: %(moment)s. We keep asking.", moment=known)
    return Alert(Tone.ATTENTION, lead, text)


def _since(parcel: ParcelFacts, cal: Calendar) -> str:
    return cal.long(cal.local(parcel.since).date()) if parcel.since else ""


def _next_check(parcel: ParcelFacts, cal: Calendar) -> str:
    if parcel.next_check_at is None:
        return ""
    at = cal.local(parcel.next_check_at)
    if at.date() == cal.today:
        return _("today at %(time)s", time=cal.clock(at))
    return _("on %(day)s", day=cal.long(at.date()))


def _moment(at: datetime, cal: Calendar) -> str:
    """A time today, else with its day."""
    local = cal.local(at)
    if local.date() == cal.today:
        return cal.clock(local)
    return _("%(day)s at %(time)s", day=cal.short(local.date()), time=cal.clock(local))


def _groups(number: str) -> tuple[str, ...]:
    """The number in fours, which is how people compare one."""
    return tuple(number[at : at + 4] for at in range(0, len(number), 4))


def _web(url: str | None) -> str | None:
    """`url` if it leads to the web; a carrier's answer may not smuggle in anything else."""
    return url if url and url.startswith(("https://", "http://")) else None
