"""What comes of a withdrawal: its order, its last day, what is exempt, and its return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from portal.db import session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.claim_facts import Day
from portal.models.due import plan_all
from portal.models.order import Order, OrderLine
from portal.models.outbox import want
from portal.models.policy import current_policy, read_policy
from portal.models.rma_facts import Asked, Situation
from portal.models.rma_request import order_for_return, request_return
from portal.models.shop import Shop
from portal.models.withdrawal import GROUNDS, Withdrawal, last_day_of
from portal.sources.matching import email_key
from portal.sources.sentences import Invalid
from portal.tenancy import shop_in_scope
from returns.policy import Policy

SETTING: Final = "withdrawal_exempt"  # [{"tag" | "category" | "sku": …, "ground": one of GROUNDS}]
OF_THE_SHOP: Final = ("methods", "label", "destination")  # the shop says how goods come back
RECORDED: Final = "The withdrawal stands as it was declared."


def work_out(withdrawal: Withdrawal, now: datetime) -> None:
    """Find the order by number and e-mail; make its return. Call it inside `writing()`."""
    if withdrawal.status != "received":
        return
    order = Order.numbered(withdrawal.number)
    if order is None or order.email_key != email_key(withdrawal.email):
        withdrawal.status = "unmatched"
        withdrawal.problem = "No order has this number and this e-mail."
        return
    take_up(withdrawal, order.id, "rules", now)


def take_up(withdrawal: Withdrawal, order_id: str, by: str, now: datetime) -> None:
    """Join a declaration with its order, and let what can go back go back.

    Raises Conflict where it is joined already, or there is no such order.
    """
    if withdrawal.order_id is not None:
        raise Conflict("This withdrawal is joined with its order already. Nothing was changed.")
    order = order_for_return(order_id, lock=True)
    if order is None:
        raise Conflict("There is no such order. Nothing was changed.")
    withdrawal.order_id, withdrawal.status, withdrawal.problem = order.id, "matched", ""
    here = Situation.of(order)
    _note_day(withdrawal, here)
    lines = _meant(withdrawal, order)
    withdrawal.exempt = _exempt(lines)
    _return(withdrawal, here, lines, now)
    after = {"order": order.number, "is_late": withdrawal.is_late, "rma": withdrawal.rma_id}
    record(by, "withdrawal.matched", f"withdrawal:{withdrawal.id}", after=after)
    if withdrawal.exempt:
        told = {"exempt": withdrawal.exempt}
        plan_all(want(order, "withdrawal_exempt", f"{withdrawal.id}:exempt", told, now))
    order.version += 1
    order.updated_at = now


def close(withdrawal: Withdrawal, by: str, now: datetime, why: str) -> None:
    """A person has done with it; the declaration stays. Raises Conflict without a reason."""
    if not why.strip():
        raise Conflict("Say what was done about it. Nothing was changed.")
    record(by, "withdrawal.closed", f"withdrawal:{withdrawal.id}", why=why.strip())
    withdrawal.status = "closed"


def by_law(live: Policy, *, is_late: bool) -> Policy:
    """The rules for a withdrawal: accepted, no fee, the way there paid back with a whole order.

    Only how goods come back, and who pays for that, is the shop's (Art. 13 and 14). A late one is
    looked at by a person.
    """
    document = live.to_json()
    kept = [rule for rule in document["rules"] if rule["kind"] in OF_THE_SHOP]
    outcome = {"id": "late", "kind": "review"} if is_late else {"id": "law", "kind": "approve"}
    rules = [
        *kept,
        {"id": "refund", "kind": "resolutions", "allow": ["refund"]},
        {"id": "shipping", "kind": "original_shipping", "refund": "whole_order"},
        outcome,
    ]
    name = "Right of withdrawal, Directive 2011/83/EU"
    return read_policy({**document, "name": name, "otherwise": "review", "rules": rules})


def _note_day(withdrawal: Withdrawal, here: Situation) -> None:
    """Its last day, once everything was delivered; declared after it, it is flagged."""
    delivered = [leg.delivered_at for leg in here.legs]
    known = [at for at in delivered if at is not None]
    if not known or len(known) < len(delivered):
        return
    day = Day.of(here.order)
    withdrawal.last_day = last_day_of(day.local(max(known)))
    withdrawal.is_late = day.local(withdrawal.declared_at) > withdrawal.last_day


def _meant(withdrawal: Withdrawal, order: Order) -> list[OrderLine]:
    """The lines that were named; all where none was, or where what was named is not found."""
    said = withdrawal.articles.lower()
    named = [line for line in order.lines if said and _is_named(line, said)]
    if said and not named:
        withdrawal.problem = "What was named is not found in the order: see which articles it is."
    return named or ([] if said else list(order.lines))


def _is_named(line: OrderLine, said: str) -> bool:
    return any(len(word) > 1 and word.lower() in said for word in (line.sku, line.title))


def _exempt(lines: Sequence[OrderLine]) -> list[dict[str, Any]]:
    """Lines of goods without the right, each with its ground."""
    found = [(line, _ground(line)) for line in lines]
    return [
        {"sku": line.sku, "title": line.title, "ground": ground} for line, ground in found if ground
    ]


def _ground(line: OrderLine) -> str:
    for tag in line.tags:
        if tag in GROUNDS:
            return tag
    told = session.get_one(Shop, shop_in_scope()).settings.get(SETTING)
    for entry in told if isinstance(told, list) else ():
        ground = entry.get("ground", "")
        is_it = (
            entry.get("sku") == line.sku
            or entry.get("tag") in line.tags
            or (bool(line.category) and entry.get("category") == line.category)
        )
        if is_it and ground in GROUNDS:
            return str(ground)
    return ""


def _return(
    withdrawal: Withdrawal, here: Situation, lines: Sequence[OrderLine], now: datetime
) -> None:
    """A return of what is not exempt and not in another one; what stands in the way is noted."""
    exempt = {each["sku"] for each in withdrawal.exempt}
    counts: Counter[str] = Counter()
    for line in lines:
        if line.sku not in exempt:
            counts[line.sku] += len(here.free_units(line))
    asked = [
        Asked.of(sku, count, "changed_mind", statement=RECORDED, resolution="refund")
        for sku, count in counts.items()
        if count
    ]
    held = [sku for sku, count in counts.items() if not count]
    if held:
        withdrawal.problem = f"In a return or claim already: {', '.join(held)}."
    if not asked:
        return
    rules = by_law(current_policy(now), is_late=withdrawal.is_late)
    try:
        with session.begin_nested():
            rma = request_return(here.order, asked, "withdrawal", "customer", now, by_law=rules)
    except (Conflict, Invalid) as error:
        withdrawal.problem = f"{error} {RECORDED}"
        return
    withdrawal.rma_id = rma.id
