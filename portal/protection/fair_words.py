"""What may not be said where cover is offered: words that move the risk of the way to the buyer.

Until the parcel is handed over, the seller bears the risk, with or without cover (EU Directive
2011/83 article 20; in the United States state law). And whoever is no insurer sells no insurance.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

SHIFTS: Final = (
    r"\b(?:are|is|be|we['’]?re|are\s+n[o']t|isn['’]?t)\s+(?:not\s+)?(?:responsible|liable)\b",
    r"\bnot\s+(?:be\s+)?(?:held\s+)?(?:responsible|liable|accountable)\b",
    r"\bno\s+(?:responsibility|liability|refunds?\s+(?:for|if)|claims?)\b",
    r"\b(?:decline|disclaim|assume\s+no|accept\s+no|waive)\w*\s+(?:all\s+|any\s+)?"
    r"(?:responsibility|liability|rights?|claims?)\b",
    r"\bat\s+(?:your|the\s+(?:buyer|customer)['’]?s)\s+(?:own\s+)?risk\b",
    r"\b(?:you|buyers?|customers?)\s+(?:bears?|carry|carries|assumes?|accepts?|takes?)\s+"
    r"(?:the\s+|all\s+|any\s+)?(?:full\s+)?(?:risks?|loss(?:es)?|responsibility|liability)\b",
    r"\bwithout\s+(?:it|cover|protection)\b.{0,40}\b(?:lose|lost|nothing|own|cannot|can['’]?t|no)\b",
    r"\bonly\s+(?:replace|refund|covered)\w*\b.{0,40}\b(?:if|with|when)\b",
    r"\bauf\s+(?:eigene[sn]?|eigene)\s+(?:gefahr|risiko)\b",
    r"\b(?:nicht|keine?)\s+(?:haft\w*|verantwort\w*|haftung|gewähr)\b",
    r"\bhafte[nt]?\b.{0,30}\bnicht\b",
    r"\b(?:sie|käufer\w*|kund\w+)\s+(?:tr[aä]g\w+|übern\w+)\b.{0,30}\b(?:risiko|gefahr|verlust)\b",
)
INSURANCE: Final = r"\b(?:insur\w+|assurance|\w*versicher\w*|underwrit\w*)\b"
RISK: Final = (
    "These words say that the buyer bears the risk of the way: “{found}”. The shop bears it until "
    "the parcel is handed over, with or without cover. Say what the cover adds instead."
)
REGULATED: Final = (
    "“{found}” is a regulated word, and this cover is the shop's own service. Call it protection "
    "or cover."
)


def unfair(text: str, *, is_own_service: bool) -> str:
    """A sentence that says why these words cannot be used; '' where they can."""
    plain = " ".join(_plain(text).split())
    for pattern in SHIFTS:
        found = re.search(pattern, plain, re.IGNORECASE)
        if found:
            return RISK.format(found=found[0])
    word = re.search(INSURANCE, plain, re.IGNORECASE) if is_own_service else None
    return REGULATED.format(found=word[0]) if word else ""


def _plain(text: str) -> str:
    """Without marks and letters that hide a word from readers of patterns."""
    composed = unicodedata.normalize("NFKC", text)
    return "".join(each for each in composed if unicodedata.category(each) != "Cf")
