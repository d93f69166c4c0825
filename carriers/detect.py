"""Which carriers a number may belong to. Candidates with their reasons, never an answer.

Shapes overlap: twelve digits may be FedEx or Purolator, both with a good check digit. So all that
fit are given, those proved by a check digit first. The carrier a shop names comes before them.
"""

import re
from typing import Final, Literal, NamedTuple

from carriers.check_digits import s10
from carriers.names import BY_CODE, canonical, close_to
from carriers.shapes import ANY_LETTERS, DIGITS, LETTERS, POSTS, Shape, bare

Certainty = Literal["check_digit", "shape"]


class Candidate(NamedTuple):
    """A carrier the number may belong to. `carrier_code` is EasyPost's word, "" where none is."""

    carrier_code: str
    name: str
    reason: str
    certainty: Certainty
    number: str  # as the carrier's own page wants it: USPS without the zip code in front

    @property
    def tracking_url(self) -> str | None:
        """The carrier's page for this number."""
        carrier = BY_CODE.get(self.carrier_code)
        return carrier.url(self.number) if carrier else None


_S10: Final = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")
_MOST: Final = 64
_BLANKS: Final = re.compile(r"[\s\-‐-―]+")


def candidates(number: str) -> list[Candidate]:
    """All carriers whose numbers look like `number`, proved ones first; [] where none does.

    Blanks, hyphens and small letters do not matter. Where a form has a check digit and it is
    wrong, that form is no candidate.
    """
    plain = _plain(number)
    if not plain:
        return []
    if plain.isdigit():
        shapes = DIGITS.get(len(plain), ())
    elif len(plain) == 13 and _S10.fullmatch(plain):
        return _post(plain)
    else:
        shapes = LETTERS.get(plain[0], ()) + ANY_LETTERS.get(len(plain), ())
    found: dict[str, Candidate] = {}
    for one in shapes:
        if one.pattern.fullmatch(plain) and (one.check is None or one.check(plain)):
            found.setdefault(one.carrier.code, _candidate(one, plain))
    if len(found) < 2:
        return list(found.values())
    # "check_digit" stands before "shape"; else as listed
    return sorted(found.values(), key=lambda one: one.certainty)


def suggest(name: str, number: str = "") -> str | None:
    """The carrier name to put instead of `name`, None where nothing is wrong or nothing is sure.

    A near miss in spelling counts, more so if the number agrees; else the number alone, where it
    leaves one carrier, or proves one by its check digit.
    """
    meant = canonical(name)
    fitting = candidates(number)
    codes = [one.carrier_code for one in fitting]
    proved = [one for one in fitting if one.certainty == "check_digit" and one.carrier_code]
    if meant is not None:
        contradicted = len(proved) == 1 and meant.code not in codes
        return proved[0].name if contradicted else None
    near = close_to(name)
    agreed = [carrier for carrier in near if carrier.code in codes]
    if near:
        return (agreed or near)[0].name
    sure = proved or [one for one in fitting if one.carrier_code]
    return sure[0].name if len(sure) == 1 else None


def _plain(number: str) -> str:
    plain = number if number.isalnum() else _BLANKS.sub("", number[: 4 * _MOST])
    return plain.upper() if plain.isascii() and plain.isalnum() and len(plain) <= _MOST else ""


def _candidate(shape: Shape, plain: str) -> Candidate:
    certainty: Certainty = "shape" if shape.check is None else "check_digit"
    carrier = shape.carrier
    shown = bare(plain) if carrier.code == "USPS" and len(plain) >= 28 else plain
    return Candidate(carrier.code, carrier.name, shape.reason, certainty, shown)


def _post(plain: str) -> list[Candidate]:
    """An international number: two letters, eight digits and a check digit, the country."""
    if not s10(plain):
        return []
    country = plain[-2:]
    reason = f"an international postal number of {country} with check digit"
    post = BY_CODE.get(POSTS.get(country, ""))
    code, name = (post.code, post.name) if post else ("", f"Post of {country}")
    return [Candidate(code, name, reason, "check_digit", plain)]
