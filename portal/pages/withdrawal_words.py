"""A withdrawal in words: what was declared, and why goods are exempt."""

from __future__ import annotations

from typing import Final

from portal.models.withdrawal import GROUNDS
from portal.pages.speech import N_, _

EXEMPT: Final = {
    "made_to_measure": N_("Made to your specification"),
    "perishable": N_("Spoils quickly"),
    "sealed_hygiene": N_("Sealed for health or hygiene, and opened after delivery"),
    "inseparable": N_("Mixed with other things for good after delivery"),
    "sealed_media": N_("Sealed recordings or software, and opened after delivery"),
    "newspaper": N_("A newspaper or magazine"),
    "dated_service": N_("A service for a certain date"),
    "digital": N_("Digital content whose supply began with your consent"),
}


def ground_words(ground: str) -> str:
    """Why goods are exempt, with the place in the law."""
    law = _("Directive 2011/83/EU, Article 16(%(letter)s)", letter=GROUNDS[ground])
    return f"{_(EXEMPT[ground])} ({law})"


def declared(name: str, number: str, email: str, articles: str) -> list[tuple[str, str]]:
    """What was declared, as rows of what and how it was said."""
    return [
        (_("I withdraw from the contract"), number),
        (_("For"), articles or _("everything in it")),
        (_("Name"), name),
        (_("E-mail"), email),
    ]
