"""Show or tell before it is approved by itself."""

from dataclasses import dataclass
from typing import ClassVar

from returns.facts import FactsAt
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class Evidence(Rule):
    """Ask for a photo or a few words; a request that comes without goes to the staff."""

    kind: ClassVar[str] = "evidence"
    uses: ClassVar[tuple[str, ...]] = ("photo", "text")
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.REVIEW,)
    photo: bool = True
    text: bool = False

    def check(self, facts: FactsAt) -> Verdict:
        wanted = tuple(name for name in ("photo", "text") if getattr(self, name))
        missing = tuple(name for name in wanted if not getattr(facts, name))
        effects = (("needs", wanted),)
        if not missing:
            return Verdict("sets", values={"needs": wanted}, sets=effects)
        said = decides(Outcome.REVIEW, f"{missing[0]}_missing", missing=missing)
        return Verdict(said.word, said.because, said.values, said.outcome, sets=effects)
