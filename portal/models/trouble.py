"""What keeps a parcel from being followed: said to staff in words, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carriers.contract import (
    AuthBroken,
    BadPayload,
    CarrierError,
    NotFound,
    RateLimited,
    Rejected,
    Transient,
)
from carriers.detect import candidates, suggest
from carriers.names import canonical

BY_REFUSAL = {
    "UNSUPPORTED_CARRIER": "unknown_carrier",
    "CARRIER_CODE_MISMATCH": "wrong_carrier",
    "MULTIPLE_CARRIERS_FOR_CODE": "carrier_needed",
    "NO_CARRIER_FOR_CODE": "carrier_needed",
    "NO_CARRIER_ACCOUNT": "carrier_account",
    "INVALID_TEST_CODE": "test_key",
    "NOT_FOUND": "not_found",
}
# Refusals that say nothing of the parcel: another question about it is under way, or theirs failed.
PASSING = frozenset({"TRACKER.CREATE.ERROR", "TRACKER.RUN.ERROR"})
FIXES = {
    "unknown_carrier": "Correct the carrier's name on the parcel.",
    "wrong_carrier": "Correct the carrier or the number on the parcel.",
    "carrier_needed": "Name the carrier on the parcel.",
    "carrier_account": "Add this carrier to your account at the provider.",
    "test_key": "Use a production key, or one of the provider's test numbers.",
    "not_found": "Compare the number with the label.",
    "no_number": "Add the tracking number.",
    "refused": "Compare the carrier and the number with the label.",
    "unreadable": "Nothing to correct on the parcel. We keep asking; run porchlight doctor.",
    "stuck": "Send the parcel again through the API, then run porchlight doctor.",
}
WRONG_NUMBER = frozenset(
    {"unknown_carrier", "wrong_carrier", "carrier_needed", "not_found", "no_number"}
)
CONCERNS = {  # of a parcel, as staff list them; the first that holds
    "wrong_number": "Wrong carrier or number",
    "untracked": "Cannot be followed",
    "presumed_lost": "Presumed lost",
    "returned": "Goes back to the sender",
    "exception": "Stopped on its way",
    "silent": "Silent",
    "late": "Late",
}
GUESSED = frozenset({"unknown_carrier", "wrong_carrier"})  # ours until the carrier knows the parcel


@dataclass(frozen=True, slots=True)
class Trouble:
    """A code for machines, what happened, and what to do about it."""

    code: str
    text: str
    fix: str


def trouble(code: str, text: str, fix: str = "") -> Trouble:
    """The trouble of that code; `fix` where there is a better one than its usual one."""
    return Trouble(code, text, fix or FIXES[code])


def at_first_sight(carrier: str, number: str) -> Trouble | None:
    """What can be seen before anybody is asked; None where nothing speaks against the pair."""
    if not number:
        return trouble("no_number", "This parcel has no tracking number, so nobody can be asked.")
    instead = suggest(carrier, number)
    fix = f"Set the carrier to {instead}." if instead else ""
    if carrier and canonical(carrier) is None:
        return trouble("unknown_carrier", f"We know no carrier {_short(carrier)}.", fix)
    if carrier and instead:
        text = f"The number does not look like one of {_short(carrier)}, but of {instead}."
        return trouble("wrong_carrier", text, fix)
    return None


def of_refusal(error: CarrierError, carrier: str, number: str) -> Trouble:
    """The trouble that an answer of the provider tells of."""
    if isinstance(error, NotFound):
        return trouble("not_found", str(error), _fix("not_found", carrier, number))
    if isinstance(error, BadPayload):
        return trouble("unreadable", str(error))
    word = error.code.rpartition("TRACKER.")[2] if isinstance(error, Rejected) else ""
    code = BY_REFUSAL.get(word, "refused")
    return trouble(code, str(error), _fix(code, carrier, number))


def concern_of(problem: str, status: str, overlays: Sequence[str]) -> str:
    """Why staff look at a parcel: a code of `CONCERNS`, "" for one that goes as it should."""
    if problem:
        return "wrong_number" if problem in WRONG_NUMBER else "untracked"
    worn = {"presumed_lost": "presumed_lost", "silent": "silent", "delayed": "late"}
    said = {"return_to_sender": "returned", "exception": "exception"}
    holds = {said.get(status, ""), *(worn.get(overlay, "") for overlay in overlays)}
    return next((code for code in CONCERNS if code in holds), "")


def is_theirs(error: CarrierError) -> bool:
    """Whether the provider is the trouble, not the parcel that was asked about."""
    return isinstance(error, Transient | RateLimited | AuthBroken)


def may_pass(error: CarrierError) -> bool:
    """Whether the same question may be answered in a minute: then it is asked a few times more."""
    return isinstance(error, BadPayload) or error.code in PASSING


def _fix(code: str, carrier: str, number: str) -> str:
    if code not in ("unknown_carrier", "wrong_carrier", "carrier_needed", "not_found"):
        return ""
    instead = suggest(carrier, number)
    if instead:
        return f"Set the carrier to {instead}."
    names = [one.name for one in candidates(number)[:3]]
    return f"{FIXES[code]} The number may be one of {' or '.join(names)}." if names else ""


def _short(name: str) -> str:
    return "“" + " ".join(name.split())[:60] + "”"
