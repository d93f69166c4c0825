"""How staff want a return settled: by article, made into wishes about single units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.models.rma import Return
from portal.models.rma_line import ReturnLine, ReturnUnit
from portal.models.rma_money import Wish
from portal.sources.sentences import wrong
from returns.money import apportion


@dataclass(frozen=True, slots=True)
class Choice:
    """So many of an article (None: all that can be settled), and what is given for them.

    What is left out is as the customer asked, and as much as the rules come to.
    """

    sku: str
    quantity: int | None = None
    resolution: str | None = None
    exchange_sku: str = ""
    amount_minor: int | None = None


def as_asked(rma: Return) -> list[Wish]:
    """Everything that can be paid for now, as the customer asked."""
    return [
        Wish(line, payable, line.resolution)
        for line in rma.approved_lines
        if (payable := payable_units(line))
    ]


def payable_units(line: ReturnLine) -> list[ReturnUnit]:
    """The units that came back and were accepted, or are kept, and have not been paid for."""
    if line.keeps:
        return [unit for unit in line.units if unit.settlement_id is None]
    return [unit for unit in line.units if unit.is_payable]


def lines_of(rma: Return, choices: Sequence[Choice]) -> set[str]:
    """The ids of the lines that choices are about."""
    skus = {choice.sku for choice in choices}
    return {line.id for line in rma.approved_lines if line.sku in skus}


def chosen(rma: Return, choices: Sequence[Choice]) -> list[Wish]:
    """Which units each choice is about: those that can be paid for, each once. Raises Invalid."""
    found: list[Wish] = []
    taken: set[int] = set()
    for place, choice in enumerate(choices):
        mine = [line for line in rma.approved_lines if line.sku == choice.sku]
        if not mine:
            raise wrong(f"lines.{place}.sku", "The return holds nothing of this sku.")
        pool = [u for line in mine for u in payable_units(line) if u.unit_id not in taken]
        units = pool[: choice.quantity]
        if choice.quantity is not None and len(units) < choice.quantity:
            raise wrong(
                f"lines.{place}.quantity",
                f"Only {len(units)} of this can be settled: the rest did not come back, was not "
                "accepted, or is settled already.",
            )
        taken |= {unit.unit_id for unit in units}
        found += _wishes(choice, mine, units)
    return found


def _wishes(choice: Choice, lines: Sequence[ReturnLine], units: Sequence[ReturnUnit]) -> list[Wish]:
    """One for each line that has some of the units; an amount is split by what they cost."""
    by_line = [(line, [unit for unit in units if unit.line is line]) for line in lines]
    held = [(line, own) for line, own in by_line if own]
    amounts: list[int | None] = [None] * len(held)
    if choice.amount_minor is not None and held:
        costs = [sum(unit.share.paid_minor for unit in own) for _, own in held]
        amounts = [*apportion(choice.amount_minor, costs)]
    return [
        Wish(line, own, choice.resolution or line.resolution, amount, choice.exchange_sku)
        for (line, own), amount in zip(held, amounts, strict=True)
    ]
