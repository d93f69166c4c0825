"""A protection plan in plain sentences, for staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from portal.format import money
from portal.protection.plan import WHOLE, Flat, Plan, Share, Tiers

Amount = Callable[[int], str]


def plan_said(plan: Plan) -> list[tuple[str, str]]:
    """Each thing a plan says: what it is about, and the sentence."""
    return list(_said(plan, lambda minor: money(minor, plan.currency, "en")))


def _said(plan: Plan, amount: Amount) -> Iterator[tuple[str, str]]:
    yield "Price", _price(plan.price, amount)
    for rate in plan.rates:
        yield _where(rate.countries, rate.categories), _price(rate.price, amount)
    yield "Bounds", _bounds(plan, amount)
    yield "Covered", _limits(plan, amount)
    left_out = [*plan.excluded_categories, *plan.excluded_skus]
    if left_out:
        yield "Not covered", ", ".join(left_out)
    if plan.only_countries:
        yield "Offered to", ", ".join(plan.only_countries)
    if plan.excluded_countries:
        yield "Not offered to", ", ".join(plan.excluded_countries)
    if plan.covers_return:
        extra = f", for {amount(plan.return_minor)} more" if plan.return_minor else ""
        yield "Way back", f"The label back is free as well{extra}."
    if plan.climate_points:
        yield "Climate share", f"{_percent(plan.climate_points)} on top, for {plan.climate_for}."
    yield "Given by", _provider(plan)


def _price(price: Flat | Share | Tiers, amount: Amount) -> str:
    if isinstance(price, Flat):
        return f"{amount(price.amount_minor)} for any value."
    if isinstance(price, Share):
        return f"{_percent(price.basis_points)} of the value."
    tiers = [
        f"up to {amount(tier.up_to_minor)}: {amount(tier.amount_minor)}"
        if tier.up_to_minor is not None
        else f"above: {amount(tier.amount_minor)}"
        for tier in price.tiers
    ]
    return f"{'; '.join(tiers).capitalize()}."


def _where(countries: list[str], categories: list[str]) -> str:
    parts = [", ".join(names) for names in (categories, countries) if names]
    return " to ".join(parts) if len(parts) == 2 else parts[0] if parts else "Everything else"


def _bounds(plan: Plan, amount: Amount) -> str:
    parts = [f"at least {amount(plan.floor_minor)}"] if plan.floor_minor else []
    if plan.cap_minor is not None:
        parts.append(f"at most {amount(plan.cap_minor)}")
    if plan.round_to_minor > 1:
        parts.append(f"rounded up to {amount(plan.round_to_minor)}")
    return f"{', '.join(parts).capitalize()}." if parts else "None."


def _limits(plan: Plan, amount: Amount) -> str:
    parts = []
    if plan.order_limit_minor is not None:
        parts.append(f"{amount(plan.order_limit_minor)} of an order")
    if plan.parcel_limit_minor is not None:
        parts.append(f"{amount(plan.parcel_limit_minor)} of a parcel")
    return f"At most {', '.join(parts)}." if parts else "The whole value."


def _provider(plan: Plan) -> str:
    who = plan.provider
    if who.basis == "licensed_insurer":
        return f"{who.name}, a licensed insurer ({who.licence})."
    return f"{who.name}, as its own service."


def _percent(points: int) -> str:
    return f"{points * 100 / WHOLE:g}%"
