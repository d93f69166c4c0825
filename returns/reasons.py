"""Why things come back: the reasons, their details, and whose fault each is."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, WithJsonSchema

Fault = Literal["customer", "shop", "carrier"]

REASONS: Final[dict[str, tuple[str, ...]]] = {
    "too_small": (),
    "too_large": (),
    "style": ("colour", "material", "unlike_photo"),
    "faulty": ("arrived_broken", "stopped_working", "missing_part"),
    "wrong_item": (),
    "missing_item": (),
    "arrived_late": (),
    "changed_mind": (
        "no_longer_needed",
        "found_cheaper",
        "ordered_several",
        "by_mistake",
        "gift",
    ),
    "other": (),
}
REASON_OF: Final = {detail: reason for reason, details in REASONS.items() for detail in details}

# A detail's fault counts before its reason's. "other" is nobody's until a person has read it.
FAULTS: Final[dict[str, Fault]] = {
    "too_small": "customer",
    "too_large": "customer",
    "style": "customer",
    "unlike_photo": "shop",
    "faulty": "shop",
    "arrived_broken": "carrier",
    "wrong_item": "shop",
    "missing_item": "shop",
    "arrived_late": "carrier",
    "changed_mind": "customer",
}
# The goods are not what was sold: no fee on these, the law of most places says so.
NOT_AS_SOLD: Final = ("faulty", "wrong_item", "missing_item")


def reason_and_detail(reason: str, detail: str | None = None) -> tuple[str, str | None]:
    """Sort out a reason as sent: a detail may stand in the reason's place.

    Raises ValueError for a code that is not in REASONS, or a detail of another reason.
    """
    if reason in REASON_OF and detail in (None, "", reason):
        return REASON_OF[reason], reason
    if reason not in REASONS:
        raise ValueError(f"We know no reason {reason!r}. Use one of: {', '.join(REASONS)}.")
    if not detail:
        return reason, None
    if detail not in REASONS[reason]:
        known = ", ".join(REASONS[reason]) or "none; leave it out"
        raise ValueError(f"The reason {reason} has no detail {detail!r}. Its details: {known}.")
    return reason, detail


def fault_of(reason: str | None, detail: str | None = None) -> Fault | None:
    """Whose fault a return is; None while nobody can tell."""
    return FAULTS.get(detail or "") or FAULTS.get(reason or "")


def _known(reason: str) -> str:
    if reason not in REASONS:
        raise ValueError(f"There is no such reason, only {', '.join(REASONS)}")
    return reason


Reason = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(REASONS)})
]
"""A reason's code, in a rule's settings."""
