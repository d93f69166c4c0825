"""What a return pays: amounts of its lines, out of what was frozen when it was decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from portal.models.change import Conflict
from portal.models.rma import Return
from portal.models.rma_line import ReturnLine, ReturnUnit
from portal.models.settlement import Settlement
from returns.money import Amounts, pay

NOTHING = Amounts()


@dataclass(frozen=True, slots=True)
class Wish:
    """How some units of a line are to be settled. `amount_minor` None: what the rules come to."""

    line: ReturnLine
    units: Sequence[ReturnUnit]
    resolution: str
    amount_minor: int | None = None
    exchange_sku: str = ""

    @property
    def paid_as(self) -> str:
        """The resolution whose money it is: what is kept is refunded."""
        return "refund" if self.resolution == "keep" else self.resolution


@dataclass(frozen=True, slots=True)
class Part:
    """A wish with its amounts."""

    wish: Wish
    amounts: Amounts


def priced(wishes: Sequence[Wish], label_minor: int) -> list[Part]:
    """The amounts of each wish; `label_minor` of the way back is spread over those that travel.

    Raises Conflict where staff want to pay more than was paid for the units.
    """
    parts = [
        ([unit.share for unit in wish.units], wish.line.effects, wish.paid_as) for wish in wishes
    ]
    return [
        Part(wish, found if wish.amount_minor is None else _set_by_staff(wish, found))
        for wish, found in zip(wishes, pay(parts, label_minor), strict=True)
    ]


def expected(rma: Return) -> dict[str, Amounts]:
    """What each resolution comes to if everything comes back as it was asked."""
    wishes = [Wish(line, line.units, line.resolution) for line in rma.approved_lines]
    return by_resolution(priced(wishes, rma.label_minor))


def by_resolution(parts: Iterable[Part]) -> dict[str, Amounts]:
    """The sums of parts by refund, store_credit and exchange."""
    found = dict.fromkeys(("refund", "store_credit", "exchange"), NOTHING)
    for part in parts:
        found[part.wish.paid_as] += part.amounts
    return found


def label_left(rma: Return, settlements: Iterable[Settlement]) -> int:
    """What of the label's cost has not been taken off yet: it is taken once a return."""
    taken: int = sum(row.amounts.get("label_minor", 0) for row in settlements if row.is_live)
    return max(0, rma.label_minor - taken)


def capped(parts: Sequence[Part], most_minor: int) -> list[Part]:
    """Parts that give no more of the order's money than is left to give, the first ones first."""
    found = []
    left_minor = most_minor
    for part in parts:
        over = max(0, part.amounts.own_minor - left_minor)
        left_minor -= part.amounts.own_minor - over
        found.append(Part(part.wish, _less(part.amounts, over)) if over else part)
    return found


def _less(amounts: Amounts, over_minor: int) -> Amounts:
    """The amounts with so much less: off the items, then off shipping, then off added tax."""
    parts, left_minor = {}, over_minor
    for name in ("items_minor", "shipping_minor", "tax_minor"):
        held: int = getattr(amounts, name)
        taken = min(held, left_minor)
        parts[name], left_minor = held - taken, left_minor - taken
    return replace(amounts, **parts, total_minor=amounts.total_minor - over_minor)


def _set_by_staff(wish: Wish, amounts: Amounts) -> Amounts:
    """The amount that staff chose. Less than the rules come to is a fee, more waives it.

    The customer's own money counts first, the bonus is what goes beyond it.
    """
    chosen = wish.amount_minor or 0
    paid = amounts.own_minor + amounts.fee_minor + amounts.label_minor
    most = paid + amounts.bonus_minor
    if chosen > most:
        raise Conflict(
            f"{wish.line.sku}: {chosen} is more than the {most} that was paid for what came back. "
            "Nothing was changed."
        )
    own = min(chosen, paid)
    label = min(amounts.label_minor, paid - own)
    return replace(
        amounts,
        label_minor=label,
        fee_minor=paid - own - label,
        bonus_minor=chosen - own,
        total_minor=chosen,
    )
