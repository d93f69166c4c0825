"""The form that settles: what can be paid for each article, and what was typed into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from flask import request

from portal.format import money
from portal.models import Return
from portal.models.rma_choice import Choice, as_asked
from portal.models.rma_money import Part, label_left, priced
from portal.models.settlement import settlements_of
from portal.pages.policy_words import RESOLUTIONS
from portal.sources.sentences import wrong
from returns.money import exponent

AS_ASKED: Final = ""
OTHERWISE: Final = ("refund", "store_credit")


@dataclass(frozen=True, slots=True)
class Payable:
    """So many of an article that can be settled now, what the rules come to, and the most."""

    sku: str
    title: str
    quantity: int
    resolution: str
    rules_minor: int
    most_minor: int
    is_money: bool  # an exchange has no amount to set


def payable(rma: Return) -> list[Payable]:
    """Everything that can be settled now, one entry for each article."""
    wishes = as_asked(rma)
    parts = priced(wishes, label_left(rma, settlements_of(rma.id))) if wishes else []
    found: dict[str, Payable] = {}
    for part in parts:
        entry = _payable(part)
        before = found.get(entry.sku)
        found[entry.sku] = _sum(before, entry) if before else entry
    return list(found.values())


def _payable(part: Part) -> Payable:
    line, amounts = part.wish.line, part.amounts
    return Payable(
        sku=line.sku,
        title=line.title or line.sku,
        quantity=len(part.wish.units),
        resolution=str(RESOLUTIONS.get(line.resolution, line.resolution)),
        rules_minor=amounts.total_minor,
        most_minor=amounts.total_minor + amounts.fee_minor + amounts.label_minor,
        is_money=part.wish.paid_as != "exchange",
    )


def _sum(one: Payable, other: Payable) -> Payable:
    return Payable(
        sku=one.sku,
        title=one.title,
        quantity=one.quantity + other.quantity,
        resolution=one.resolution,
        rules_minor=one.rules_minor + other.rules_minor,
        most_minor=one.most_minor + other.most_minor,
        is_money=one.is_money and other.is_money,
    )


def typed_choices(rma: Return, reason: str) -> Sequence[Choice] | None:
    """How it is to be settled; None: all as asked. Raises Invalid with a sentence for a person.

    An amount of one's own needs a reason, and is at most what was paid for what came back.
    """
    entries = {entry.sku: entry for entry in payable(rma)}
    choices = []
    is_own = False
    for place, sku in enumerate(request.form.getlist("pay-sku")):
        entry = entries.get(sku)
        if entry is None:
            raise wrong("sku", "Something of this was settled a moment ago. Look at it again.")
        amount = typed_amount(request.form.get(f"amount-{place}", ""), rma.currency)
        resolution = request.form.get(f"resolution-{place}", AS_ASKED)
        if amount is not None and amount > entry.most_minor:
            most = money(entry.most_minor, rma.currency, "en")
            raise wrong("amount", f"{entry.title}: at most {most} was paid for what came back.")
        is_own = is_own or amount is not None or resolution in OTHERWISE
        wanted = resolution if resolution in OTHERWISE else None
        choices.append(Choice(sku, resolution=wanted, amount_minor=amount))
    if is_own and not reason:
        raise wrong("reason", "Say why you settle it otherwise than asked. Nothing was changed.")
    return choices if is_own else None


def typed_amount(typed: str, currency: str) -> int | None:
    """Minor units of an amount such as 12.50 or 12,50; None where nothing was typed.

    Raises Invalid for what is no amount.
    """
    text = typed.strip().replace(",", ".")
    if not text:
        return None
    problem = wrong("amount", f"Write the amount as a number such as 12.50, not {typed!r}.")
    try:
        amount = Decimal(text).scaleb(exponent(currency))
    except InvalidOperation:
        raise problem from None
    if not amount.is_finite() or amount < 0 or amount != amount.to_integral_value():
        raise problem
    return int(amount)
