"""What each rule says to customers, in whole sentences: on the policy's page and at the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from babel import Locale
from babel.lists import format_list

from portal.format import money
from portal.pages.condition_words import condition_words
from portal.pages.dates import Calendar
from portal.pages.policy_words import BY_METHODS, FOR_REASONS, TO_RESOLUTIONS
from portal.pages.speech import _
from returns.policy import PolicyRule


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the language, the shop's calendar, the policy's currency."""

    locale: str
    calendar: Calendar
    currency: str


def part_of(kind: str) -> str:
    """The part of the page where a kind of rule is told; "" for what only staff's work is about."""
    return SAYS[kind][0] if kind in SAYS else ""


def told(entry: PolicyRule, reader: Reader) -> list[str]:
    """What a rule says to customers, and when. Nothing where it is not for them."""
    if entry.rule.kind not in SAYS:
        return []
    say = SAYS[entry.rule.kind][1]
    return [when_then(entry, sentence, reader) for sentence in say(entry.rule, reader)]


def when_then(entry: PolicyRule, sentence: str, reader: Reader) -> str:
    """A rule's sentence behind what it depends on: "Shirts: you can choose an exchange."."""
    when = condition_words(entry.when, reader.locale, reader.currency)
    return f"{when}: {sentence[0].lower()}{sentence[1:]}" if when else sentence


Sentences = Iterable[str]


def _window(rule: Any, reader: Reader) -> Sentences:
    anchors = {
        "delivery": _("You can send things back within %(days)d days of their delivery."),
        "shipment": _("You can send things back within %(days)d days of their dispatch."),
        "order": _("You can send things back within %(days)d days of your order."),
    }
    yield anchors[rule.anchor] % {"days": rule.days}
    for category, days in rule.by_category.items():
        yield _("%(category)s: within %(days)d days.", category=category, days=days)
    for holiday in rule.holidays:
        yield _(
            "What is ordered from %(first)s to %(last)s can go back until %(until)s.",
            first=reader.calendar.long(holiday.ordered_from),
            last=reader.calendar.long(holiday.ordered_to),
            until=reader.calendar.long(holiday.until),
        )


def _final_sale(rule: Any, reader: Reader) -> Sentences:
    if rule.unless_reasons:
        yield _(
            "Final sales cannot come back, except for %(reasons)s.",
            reasons=_listed(rule.unless_reasons, FOR_REASONS, reader),
        )
    else:
        yield _("Final sales cannot come back.")


def _decline(_rule: Any, _reader: Reader) -> Sentences:
    yield _("This cannot come back.")


def _review(_rule: Any, _reader: Reader) -> Sentences:
    yield _("A person decides, usually within 1 working day.")


def _approve(_rule: Any, _reader: Reader) -> Sentences:
    return ()


def _resolutions(rule: Any, reader: Reader) -> Sentences:
    yield _("You can choose %(ways)s.", ways=_listed(rule.allow, TO_RESOLUTIONS, reader))


def _fee(rule: Any, reader: Reader) -> Sentences:
    amount = _charge(rule, reader)
    if amount:
        yield _(
            "A fee of %(amount)s is taken off, but never for %(reasons)s.",
            amount=amount,
            reasons=_listed(rule.waived_for, FOR_REASONS, reader),
        )


def _bonus(rule: Any, reader: Reader) -> Sentences:
    amount = _charge(rule, reader)
    if amount:
        ways = _listed(rule.resolutions, TO_RESOLUTIONS, reader)
        yield _("You get %(amount)s on top with %(ways)s.", amount=amount, ways=ways)


def _keep(rule: Any, _reader: Reader) -> Sentences:
    if rule.then == "donate":
        yield _("Give it to somebody who can use it; you need not send it back.")
    else:
        yield _("Keep it; you need not send it back.")


def _methods(rule: Any, reader: Reader) -> Sentences:
    yield _("Ways back: %(ways)s.", ways=_listed(rule.allow, BY_METHODS, reader))


def _label(rule: Any, reader: Reader) -> Sentences:
    if rule.paid_by == "shop":
        yield _("We pay for the way back.")
        return
    costs = [
        f"{_(BY_METHODS[method])} {money(cost, reader.currency, reader.locale)}"
        for method, cost in rule.cost_minor.items()
    ]
    shown = f" ({'; '.join(costs)})" if costs and reader.currency else ""
    yield _("You pay for the way back%(costs)s.", costs=shown)
    if rule.free_for:
        yield _("We pay for %(reasons)s.", reasons=_listed(rule.free_for, FOR_REASONS, reader))


def _evidence(rule: Any, _reader: Reader) -> Sentences:
    if rule.photo:
        yield _("Add a photo, so that we can decide at once.")
    if rule.text:
        yield _("Tell us what happened, so that we can decide at once.")


def _shipping(rule: Any, _reader: Reader) -> Sentences:
    yield {
        "always": _("What you paid for shipping to you is paid back too."),
        "whole_order": _(
            "What you paid for shipping is paid back when the whole order comes back."
        ),
        "never": _("What you paid for shipping to you is not paid back."),
    }[rule.refund]


def _money_moves(rule: Any, reader: Reader) -> Sentences:
    moments = {
        "label": _("as soon as the return is accepted"),
        "first_scan": _("as soon as the carrier has the parcel"),
        "arrival": _("as soon as the parcel is back"),
        "inspection": _("once we have looked at what came back"),
    }
    ways = _listed(rule.resolutions, TO_RESOLUTIONS, reader)
    yield _("You get %(ways)s %(moment)s.", ways=ways, moment=moments[rule.at])


def _delivered(_rule: Any, _reader: Reader) -> Sentences:
    yield _("A return can be started once the parcel has been delivered.")


def _charge(rule: Any, reader: Reader) -> str:
    parts = []
    if rule.amount_minor and reader.currency:
        parts.append(money(rule.amount_minor, reader.currency, reader.locale))
    if rule.share_bps:
        parts.append(f"{rule.share_bps / 100:g} %")
    return " + ".join(parts)


def _listed(codes: Iterable[str], words: dict[str, str], reader: Reader) -> str:
    shown = [_(words.get(code, code)) for code in codes]
    return str(format_list(shown, "or", locale=Locale.parse(reader.locale)))


def _instant(rule: Any, reader: Reader) -> Sentences:
    yield _(
        "If you like, the other article goes out before yours is back: you save a card, and pay "
        "nothing if yours is with the carrier within %(days)d days. What is not sent back by then "
        "is charged to the card once. We write to you before that.",
        days=rule.days,
    )
    if rule.at_most_minor and reader.currency:
        yield _(
            "This is for articles of at most %(amount)s.",
            amount=money(rule.at_most_minor, reader.currency, reader.locale),
        )


SAYS: Final[dict[str, tuple[str, Callable[[Any, Reader], Sentences]]]] = {
    "window": ("what", _window),
    "final_sale": ("what", _final_sale),
    "decline": ("what", _decline),
    "resolutions": ("what", _resolutions),
    "restocking_fee": ("what", _fee),
    "bonus": ("what", _bonus),
    "keep_item": ("how", _keep),
    "instant_exchange": ("how", _instant),
    "methods": ("how", _methods),
    "label": ("how", _label),
    "evidence": ("how", _evidence),
    "review": ("all", _review),
    "delivered": ("all", _delivered),
    "original_shipping": ("all", _shipping),
    "money_moves": ("all", _money_moves),
}
