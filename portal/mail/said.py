"""What one mail says, and how its subject keeps short."""

from __future__ import annotations

from dataclasses import dataclass

SUBJECT = 50  # characters: what a phone shows


@dataclass(frozen=True, slots=True)
class Words:
    """What one mail says. `when` is the date that matters, `after` what comes next."""

    subject: str
    preheader: str
    headline: str
    sentence: str
    when: str = ""
    was: str = ""
    after: str = ""
    button: str = ""  # what the one button says; "" where it leads to the parcel's whereabouts


def subject(text: str, number: str) -> str:
    """`text` with a number at {}; one too long for a subject is cut."""
    room = SUBJECT - (len(text) - len("{}"))
    return text.replace("{}", cut(number, max(room, 8)))


def cut(text: str, length: int) -> str:
    """`text` in at most so many characters."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
