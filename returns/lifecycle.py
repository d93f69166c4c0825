"""The lives of a return, an exchange, a claim and their parts: tables, not code.

A move leads from some states to one. What is not in the table does not happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class NotAllowed(ValueError):
    """A move that the table does not hold. Its text is a sentence for whoever tried."""


@dataclass(frozen=True)
class Life:
    """The states something goes through. `moves`: name to (states it may start from, its end)."""

    what: str
    start: str
    moves: Mapping[str, tuple[frozenset[str], str]]

    def after(self, move: str, state: str) -> str:
        """The state that `move` leads to. Raises NotAllowed with a sentence."""
        if move not in self.moves:
            known = ", ".join(self.moves)
            raise NotAllowed(f"There is no move {move!r} for {self.what}. There are: {known}.")
        starts, end = self.moves[move]
        if state not in starts:
            raise NotAllowed(
                f"This is {_spoken(state)} now, so it cannot become {_spoken(end)}. "
                f"That is possible from: {', '.join(map(_spoken, sorted(starts)))}."
            )
        return end

    def allowed(self, state: str) -> tuple[str, ...]:
        """The moves open from a state, in the table's order."""
        return tuple(move for move, (starts, _) in self.moves.items() if state in starts)

    @property
    def states(self) -> frozenset[str]:
        """Every state of this life."""
        ends = {end for _, end in self.moves.values()}
        return frozenset({self.start}.union(ends, *(starts for starts, _ in self.moves.values())))


def _spoken(state: str) -> str:
    return state.replace("_", " ")


def _life(what: str, start: str, moves: Mapping[str, tuple[str, str]]) -> Life:
    table = {move: (frozenset(starts.split()), end) for move, (starts, end) in moves.items()}
    return Life(what, start, table)


RETURN: Final = _life(
    "a return",
    "requested",
    {
        "approve": ("requested", "approved"),
        "decline": ("requested", "declined"),
        # A person looks again at what was declined.
        "reopen": ("declined", "requested"),
        # A parcel may come although the approval has expired; it is judged, not sent away.
        "ship": ("approved expired", "shipped"),
        # Handed in at the shop, or its scans never reached us.
        "arrive": ("approved shipped expired", "arrived"),
        "check": ("arrived", "checked"),
        # From approved when the item is kept; from shipped when the parcel is lost on its way.
        "settle": ("approved shipped checked", "settled"),
        # The provider took a refund back: what it closed is open again.
        "unsettle": ("settled", "checked"),
        "cancel": ("requested approved", "cancelled"),
        "expire": ("approved", "expired"),
    },
)
EXCHANGE: Final = _life(
    "an exchange",
    "wanted",
    {
        "reserve": ("wanted waiting", "reserved"),
        # Nothing in stock, and the customer chose to wait.
        "wait": ("wanted", "waiting"),
        "order": ("reserved", "ordered"),
        # Credit or refund instead, as chosen beforehand.
        "fall_back": ("wanted waiting reserved", "fallen_back"),
        "release": ("wanted waiting reserved", "released"),
    },
)
CLAIM: Final = _life(
    "a claim",
    "waiting",
    {
        "open": ("waiting", "open"),
        "ask": ("open", "needs_info"),
        "answer": ("needs_info", "open"),
        "approve": ("open needs_info", "approved"),
        "decline": ("open needs_info", "declined"),
        "reopen": ("declined", "open"),
        "pay": ("approved", "paid"),
        # The provider took the money back: it is owed again.
        "unpay": ("paid", "approved"),
        "cancel": ("waiting open needs_info", "cancelled"),
    },
)
RECEPTION: Final = _life(
    "a unit on its way back",
    "awaited",
    {
        # Late, or in a second parcel: what turns up is received after all.
        "receive": ("awaited lost not_in_parcel", "received"),
        "lose": ("awaited", "lost"),
        "miss": ("awaited", "not_in_parcel"),
    },
)
ACCEPTANCE: Final = _life(
    "a unit under inspection",
    "pending",
    {
        "accept": ("pending rejected", "accepted"),
        "reject": ("pending", "rejected"),
    },
)
SETTLEMENT: Final = _life(
    "a settlement",
    "wanted",
    {
        "perform": ("wanted", "performing"),
        "succeed": ("performing unknown", "done"),
        # Unknown is looked up with the provider before it is called failed.
        "fail": ("performing unknown", "failed"),
        "lose_sight": ("performing", "unknown"),
        "retry": ("failed", "wanted"),
        "fall_through": ("done", "failed"),
    },
)
PROTECTION: Final = _life(
    "protection",
    "none",
    {
        "start": ("none", "active"),
        "refuse": ("none", "refused"),
        "cancel": ("active", "cancelled"),
        "end": ("active", "ended"),
    },
)


def after(move: str, state: str, life: Life = RETURN) -> str:
    """The state that `move` leads to in a life (a return's unless said).

    Raises NotAllowed with a sentence that says what holds and from where it is possible.
    """
    return life.after(move, state)
