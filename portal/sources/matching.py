"""When two spellings mean the same: order numbers, addresses, postcodes, tracking numbers."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Hyphens and dashes as people and word processors write them, and the minus sign.
DASHES: Final = re.compile("[\u2010-\u2015\u2212\ufe58]")
OUTER: Final = re.compile(r"\A[\s#]+|\s+\Z")
BLANKS: Final = re.compile(r"\s+")


def number_key(text: str) -> str:
    """What an order number is looked up by: no `#`, no case, no outer blanks.

    Leading zeros count (`000123` is not `123`), and so does every character inside, invisible
    ones too: `1001` and `100<zero width>1` are two numbers. '' when nothing is left.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return OUTER.sub("", DASHES.sub("-", unicodedata.normalize("NFKC", folded)))


def email_key(text: str) -> str:
    """What an e-mail address is compared by: without case and outer blanks.

    A letter that only looks or folds like an ASCII one stays itself: the Kelvin sign is no k.
    """
    return "".join(_lower(letter) for letter in text.strip())


def _lower(letter: str) -> str:
    lower = letter.lower()
    return lower if lower.isascii() == letter.isascii() else letter


def postcode_key(text: str) -> str:
    """What a postcode is compared by: capitals without blanks and hyphens."""
    plain = DASHES.sub("-", unicodedata.normalize("NFKC", text)).upper()
    return BLANKS.sub("", plain).replace("-", "")


def tracking_key(text: str) -> str:
    """What a tracking number is compared by: capitals and digits alone."""
    return "".join(letter for letter in text.upper() if letter.isalnum())[:80]


def name_key(text: str) -> str:
    """What a person's name is looked up by: no case, no accents, no signs; words by one blank."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(_letter(each) for each in unicodedata.normalize("NFKD", plain))
    return " ".join(letters.split())[:200]


def _letter(sign: str) -> str:
    if sign.isalnum():
        return sign
    return "" if unicodedata.combining(sign) or sign in "'\u2019." else " "


def name_end_key(text: str) -> str:
    """The same with the last word first, for who looks for a family name; '' for one word."""
    first, _, last = name_key(text).rpartition(" ")
    return f"{last} {first}" if first else ""
