"""Some things are not worth the way back."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Rule, Verdict, sets

KEPT: Final = sets(keep=True, donate=False)
DONATED: Final = sets(keep=True, donate=True)


@dataclass(frozen=True)
class KeepItem(Rule):
    """Let the customer keep the item, or give it away, and have the money all the same."""

    kind: ClassVar[str] = "keep_item"
    title: ClassVar[str] = "Keep it"
    example: ClassVar[str] = "What costs less than 10.00 need not be sent back."
    then: Annotated[
        Literal["keep", "donate"],
        setting(
            "What the customer does with it", words={"keep": "Keeps it", "donate": "Gives it away"}
        ),
    ] = "keep"

    def check(self, facts: FactsAt) -> Verdict:
        return DONATED if self.then == "donate" else KEPT
