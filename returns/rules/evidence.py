"""Show or tell before it is approved by itself."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Outcome, Rule, Verdict


@dataclass(frozen=True)
class Evidence(Rule):
    """Ask for a photo or a few words; a request that comes without goes to the staff."""

    kind: ClassVar[str] = "evidence"
    title: ClassVar[str] = "Photo or words"
    example: ClassVar[str] = "Whoever says that it arrived broken adds a photo."
    uses: ClassVar[tuple[str, ...]] = ("photo", "text")
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.REVIEW,)
    photo: Annotated[bool, setting("Ask for a photo")] = True
    text: Annotated[bool, setting("Ask what happened, in a few words")] = False

    def check(self, facts: FactsAt) -> Verdict:
        wanted = tuple(name for name in ("photo", "text") if getattr(self, name))
        missing = tuple(name for name in wanted if not getattr(facts, name))
        asks = tuple((f"needs.{name}", True) for name in wanted)
        if not missing:
            return Verdict("sets", values=dict(asks), sets=asks)
        values = {"missing": missing}
        return Verdict("review", f"{missing[0]}_missing", values, Outcome.REVIEW, sets=asks)
