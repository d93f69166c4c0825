"""What a rule says: the contract that every file in `returns/rules/` fills.

A rule is a frozen dataclass whose fields are its settings, with `kind`, the facts it `uses`, and
`check(facts)`. It says one of three things: an outcome, effects, or nothing. Codes and values
leave here; words are made where they are shown.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, NamedTuple

from pydantic import ConfigDict

from returns.facts import FactsAt

Resolution = Literal["refund", "store_credit", "exchange"]
RESOLUTIONS: Final[tuple[Resolution, ...]] = ("refund", "store_credit", "exchange")
Method = Literal["label", "qr", "own_label", "in_store", "pickup"]
Step = Literal["label", "first_scan", "arrival", "inspection"]


class Outcome(StrEnum):
    """What becomes of a request. `rank` orders them by what the customer would choose."""

    APPROVE = "approve"
    REVIEW = "review"
    DECLINE = "decline"

    @property
    def rank(self) -> int:
        """2 for approve, 1 for review, 0 for decline."""
        return _RANKS[self]


_RANKS: Final = {Outcome.DECLINE: 0, Outcome.REVIEW: 1, Outcome.APPROVE: 2}
NO_VALUES: Final[Mapping[str, Any]] = MappingProxyType({})


def _no_values() -> Mapping[str, Any]:
    return NO_VALUES


class Verdict(NamedTuple):
    """What one rule said about one set of facts.

    `word` is approve, review, decline, sets, passes, not_met (the conditions do not hold) or
    unknown (a fact they need is not known). `sets` are effects by name; where two rules set the
    same, the earlier counts. A verdict with a `last_day` is a window's: windows are weighed
    together and the latest day wins.
    """

    word: str
    because: str = ""
    values: Mapping[str, Any] = NO_VALUES
    outcome: Outcome | None = None
    sets: tuple[tuple[str, Any], ...] = ()
    last_day: date | None = None


PASSES: Final = Verdict("passes")


def decides(outcome: Outcome, because: str, **values: Any) -> Verdict:
    """An outcome, with the code and the values of its reason."""
    return Verdict(outcome.value, because, values, outcome)


def sets(because: str = "", /, **effects: Any) -> Verdict:
    """Effects by name; shown as they are in the receipt."""
    return Verdict("sets", because, effects, sets=tuple(effects.items()))


class Rule(ABC):
    """One kind of rule. The first line of its docstring says what it does, for the editor."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: ClassVar[str]
    title: ClassVar[str] = ""
    """What the editor calls this kind; its `kind` where nothing is said."""
    example: ClassVar[str] = ""
    """A sentence that such a rule could stand for, for the editor."""
    uses: ClassVar[tuple[str, ...]] = ()
    """The facts that `check` reads; they are derived and kept in the receipt."""
    outcomes: ClassVar[tuple[Outcome, ...]] = ()
    """Every outcome this kind may give; empty for one that only sets effects."""

    @abstractmethod
    def check(self, facts: FactsAt) -> Verdict | None:
        """What the rule says about these facts; None for nothing. Pure, and never raises."""


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount a unit, a share of its value in basis points, or both; rounded down."""

    amount_minor: int = 0
    share_bps: int = 0

    def of(self, value_minor: int, *, flat: bool = True) -> int:
        """The charge on one unit. Without `flat` the amount, of another currency, stays out."""
        return (self.amount_minor if flat else 0) + value_minor * self.share_bps // 10_000


NO_CHARGE: Final = Charge()


@dataclass(frozen=True)
class Effects:
    """What a decision lets happen and at what price, once every rule has spoken.

    `fees` and `bonuses` are by resolution and a unit; `method_costs` are minor units a return.
    `flat_amounts` is False when the order's currency is not the policy's: fixed amounts then stay
    out, in the customer's favour.
    """

    resolutions: tuple[str, ...] = RESOLUTIONS
    methods: tuple[str, ...] = ("label",)
    label_paid_by: str = "shop"
    method_costs: Mapping[str, int] = field(default_factory=_no_values)
    fees: Mapping[str, Charge] = field(default_factory=_no_values)
    bonuses: Mapping[str, Charge] = field(default_factory=_no_values)
    moves_at: Mapping[str, str] = field(default_factory=_no_values)
    keep: bool = False
    donate: bool = False
    destination: str | None = None
    refund_shipping: bool = False
    needs: tuple[str, ...] = ()
    last_day: date | None = None
    flat_amounts: bool = True
    instant_days: int = 0  # until a saved card is charged; 0: the other article waits
    instant_most_minor: int = 0  # that may be charged for a line; 0: any
    window: Mapping[str, Any] = field(default_factory=_no_values)

    def label_minor(self, method: str | None = None) -> int:
        """What the customer pays for sending back by `method` (else the first one allowed)."""
        if self.keep or self.label_paid_by == "shop" or not self.flat_amounts:
            return 0
        return self.method_costs.get(method or next(iter(self.methods), ""), 0)

    def sends_ahead(self, method: str | None, cost_minor: int, own_minor: int) -> bool:
        """Whether the other article may go out before the first is back: it costs `cost_minor`.

        Not where it costs more than what was paid (`own_minor`), nor where a fee or the way back
        is to be paid: that would be due after it was sent, and nobody agreed to it.
        """
        if not self.instant_days or self.keep or cost_minor > own_minor:
            return False
        if self.label_minor(method) or self.fees.get("exchange", NO_CHARGE) != NO_CHARGE:
            return False
        most = self.instant_most_minor
        return not most or (self.flat_amounts and cost_minor <= most)

    def money_moves_at(self, resolution: str) -> str:
        """When the money of a resolution moves: label, first_scan, arrival or inspection."""
        return "label" if self.keep else self.moves_at.get(resolution, "inspection")
