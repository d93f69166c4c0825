"""Claims against EasyPost's insurance: filed once, found again by our mark, followed to their end.

There is no idempotency key, and nothing stops a second claim. So our mark stands in each claim's
description, and after a lost answer the claims are looked through for it before another is filed.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from easypost.requestor import RequestMethod

from carriers.contract import BadPayload, NotFound, Rejected, Transient
from carriers.easypost_labels import LabelDesk, doubted

# What our kinds are to EasyPost. A wrong article was not the journey's fault.
TYPES: Final = {
    "lost": "loss",
    "not_received": "theft",
    "damaged": "damage",
    "missing_item": "theft",
}
# First and last day after shipment, as EasyPost's help on insurance claims says (2026).
DAYS: Final = {"loss": (30, 60), "theft": (0, 30), "damage": (0, 30)}
CURRENCY: Final = "USD"  # the one EasyPost insures in
APPROVED: Final = ("approved", "approved_partial")
ENDED: Final = (*APPROVED, "rejected", "cancelled")
NOT_INSURED: Final = (
    "EasyPost knows no insurance of this parcel, so nothing can be claimed there. If its carrier "
    "insured it, claim it with the carrier and send the evidence pack."
)
LOOK_BACK: Final = timedelta(days=1)
PAGE: Final = 100
MOST_PAGES: Final = 20
_CLAIM_ID: Final = re.compile(r"clm_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent along; `kind` is its media type."""

    kind: str
    content: bytes

    @property
    def url(self) -> str:
        """As a data URL, the form that EasyPost takes."""
        return f"data:{self.kind};base64,{b64encode(self.content).decode()}"


@dataclass(frozen=True, slots=True)
class ClaimWish:
    """A claim to be filed. `mark` is ours, `amount` is US dollars, `type` one of TYPES' values."""

    mark: str
    number: str
    type: str
    amount: Decimal
    description: str
    email: str
    recipient: str = ""
    letters: Sequence[Attachment] = ()
    invoices: Sequence[Attachment] = ()
    documents: Sequence[Attachment] = ()


@dataclass(frozen=True, slots=True)
class InsuredClaim:
    """A claim as EasyPost has it. `status` is its own word, `detail` its sentence."""

    id: str
    status: str
    detail: str
    description: str
    number: str
    approved: Decimal | None = None


def window(type: str, shipped_on: date) -> tuple[date, date]:
    """The first and the last day on which EasyPost takes a claim of this type."""
    first, last = DAYS[type]
    return shipped_on + timedelta(days=first), shipped_on + timedelta(days=last)


class ClaimDesk(LabelDesk):
    """EasyPost where claims are filed as well. Every failure is a CarrierError."""

    def file_claim(self, wish: ClaimWish) -> InsuredClaim:
        """File it. Look with `find_claim` first: this files whatever is there already.

        Raises Rejected where it is refused, OutcomeUnknown where it may have been filed.
        """
        wanted = {
            "tracking_code": wish.number,
            "type": wish.type,
            "amount": f"{wish.amount:.2f}",
            "description": f"{wish.description} {_tag(wish.mark)}".strip(),
            "contact_email": wish.email,
            "recipient_name": wish.recipient,
            "email_evidence_attachments": [each.url for each in wish.letters],
            "invoice_attachments": [each.url for each in wish.invoices],
            "supporting_documentation_attachments": [each.url for each in wish.documents],
        }
        sent = {name: value for name, value in wanted.items() if value}
        try:
            found = self._change("/claims", sent)
        except NotFound as error:
            raise Rejected(NOT_INSURED, code=error.code) from None
        try:
            return read_claim(found)
        except BadPayload as error:
            raise doubted(error) from None

    def find_claim(self, mark: str, since: datetime) -> InsuredClaim | None:
        """The claim that carries our mark, filed at `since` or later; None where there is none."""
        asked: dict[str, Any] = {
            "page_size": PAGE,
            "start_datetime": (since - LOOK_BACK).isoformat(),
        }
        for _ in range(MOST_PAGES):
            page = self._call(RequestMethod.GET, "/claims", asked)
            rows = page.get("claims")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise BadPayload("EasyPost sent no list of claims; nothing of it was used.")
            claims = [read_claim(row) for row in rows]
            found = next((each for each in claims if _tag(mark) in each.description), None)
            if found is not None or page.get("has_more") is not True or not claims:
                return found
            asked["before_id"] = claims[-1].id
        raise Transient("EasyPost's list of claims has no end. Nothing was changed.")

    def look_at_claim(self, id: str) -> InsuredClaim:
        """How a claim stands now."""
        if not _CLAIM_ID.fullmatch(id):
            raise NotFound("This is not the id of an EasyPost claim; nothing was sent.")
        try:
            found = read_claim(self._call(RequestMethod.GET, f"/claims/{id}"))
        except NotFound as error:
            raise NotFound("EasyPost does not know this claim any more.", code=error.code) from None
        if found.id != id:
            raise BadPayload("EasyPost answered about another claim; nothing of it was used.")
        return found


def read_claim(found: Mapping[str, Any]) -> InsuredClaim:
    """A claim out of an answer. Raises BadPayload."""
    id, status = found.get("id"), found.get("status")
    if not isinstance(id, str) or not _CLAIM_ID.fullmatch(id) or not isinstance(status, str):
        raise BadPayload("EasyPost sent something that is no claim; nothing of it was used.")
    approved = _amount(found.get("approved_amount"))
    if status in APPROVED and approved is None:
        raise BadPayload("EasyPost approved a claim and names no amount; nothing of it was used.")
    return InsuredClaim(
        id=id,
        status=status[:30],
        detail=_words(found.get("status_detail"), 300),
        description=_words(found.get("description"), 5_000),
        number=_words(found.get("tracking_code"), 80),
        approved=approved,
    )


def named_in(event: Mapping[str, Any]) -> tuple[str, str]:
    """The claim that a pushed event is about, and what EasyPost asks of us in it, "" for neither.

    The event may be about the claim itself or about a message on it.
    """
    about = event.get("result")
    if not isinstance(about, dict):
        return "", ""
    is_message = about.get("object") == "ClaimMessage"
    id = about.get("claim_id" if is_message else "id")
    if not isinstance(id, str) or not _CLAIM_ID.fullmatch(id):
        return "", ""
    asks = is_message and about.get("direction") == "outbound"
    return id, _words(about.get("body"), 2_000) if asks else ""


def minor_of(amount: Decimal) -> int:
    """Dollars as cents. Raises BadPayload for parts of a cent."""
    cents = amount * 100
    if cents != cents.to_integral_value() or cents < 0:
        raise BadPayload("EasyPost named an amount that is no sum of money.")
    return int(cents)


def _tag(mark: str) -> str:
    return f"[{mark}]"


def _amount(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise BadPayload("EasyPost sent an amount that cannot be read; nothing of it was used.")
    return amount


def _words(value: object, longest: int) -> str:
    if not isinstance(value, str):
        return ""
    shown = "".join(each if each.isprintable() or each == "\n" else " " for each in value)
    return shown.strip()[:longest]
