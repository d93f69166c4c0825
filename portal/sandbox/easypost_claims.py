"""The stand-in's EasyPost routes for insurance and claims against it, and the insurer's door."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from flask import Blueprint, Response, jsonify
from pydantic import Field

from portal.sandbox import asked as ask
from portal.sandbox.account import Account, new_id, one, page, stamp
from portal.sandbox.admin import only_from_here
from portal.sandbox.asked import Amount, Asked, plain_code
from portal.sandbox.easypost import account, body, no_query, query
from portal.sandbox.refusals import FieldError, Json, Refusal, unprocessable

bp = Blueprint("easypost_claims", __name__)

ENDED: Final = ("approved", "approved_partial", "rejected", "cancelled")
FILES: Final = (
    *("email_evidence_attachments", "invoice_attachments"),
    "supporting_documentation_attachments",
)
NONE: Final = "No eligible insurance found with provided tracking code."
SAID: Final = {
    "in_review": "Claim is being reviewed.",
    "approved": "Claim was approved.",
    "approved_partial": "Claim was approved in part.",
    "rejected": "The packaging was not sufficient.",
    "cancelled": "Claim cancellation was requested.",
}


class ClaimDecided(Asked):
    """What the insurer says of a claim; `amount` where it pays."""

    status: Literal["in_review", "approved", "approved_partial", "rejected"]
    amount: Amount | None = None
    detail: Annotated[str, Field(max_length=500)] = ""


class AllInsured(Asked):
    """Up to how much each parcel is insured, and how many seconds a claim waits."""

    amount: Amount
    decides_after: Annotated[float, Field(ge=0, le=86_400)]


class ClaimQuestion(Asked):
    """What the insurer asks of who filed it."""

    body: Annotated[str, Field(min_length=1, max_length=2_000)]


@bp.post("/v2/insurances")
def insure() -> tuple[Response, int]:
    asked = body(ask.InsuranceAsked, "insurance")
    now = stamp(account().clock())
    made: Json = {
        "id": new_id("ins"),
        "object": "Insurance",
        "created_at": now,
        "updated_at": now,
        "mode": "test",
        "reference": asked.reference,
        "amount": f"{float(asked.amount):.5f}",
        "provider": "easypost",
        "provider_id": None,
        "shipment_id": None,
        "tracking_code": plain_code(asked.tracking_code),
        "status": "purchased",
        "messages": [],
    }
    account().insurances[made["id"]] = made
    account().effects["insurance.bought"] += 1
    return jsonify(made), 201


@bp.post("/v2/claims")
def create() -> tuple[Response, int]:
    """Filed as often as it is asked for: EasyPost has no idempotency."""
    asked = body(ask.ClaimAsked)
    insurance, shipment, value = _insured(account(), plain_code(asked.tracking_code))
    if float(asked.amount) > float(value):
        wrong: list[FieldError] = [
            {"field": "amount", "message": f"must not exceed the insured value of {value}"}
        ]
        raise unprocessable(wrong)
    now = stamp(account().clock())
    claim: Json = {
        "approved_amount": None,
        "attachments": _kept([url for name in FILES for url in getattr(asked, name)]),
        "check_delivery_address": None,
        "contact_email": asked.contact_email,
        "created_at": now,
        "description": asked.description,
        "history": [],
        "id": new_id("clm"),
        "insurance_amount": f"{float(value):.2f}",
        "insurance_id": insurance,
        "mode": "test",
        "object": "Claim",
        "payment_method": asked.payment_method,
        "recipient_name": asked.recipient_name,
        "requested_amount": f"{float(asked.amount):.2f}",
        "salvage_value": None,
        "shipment_id": shipment,
        "status": "",
        "tracking_code": plain_code(asked.tracking_code),
        "type": asked.type,
    }
    account().claims[claim["id"]] = claim
    account().effects["claim.created"] += 1
    _move(account(), claim, "submitted", "Claim was created.")
    return jsonify(claim), 201


def _insured(of: Account, code: str) -> tuple[str | None, str | None, str]:
    """The newest insurance of a parcel: its own id, its shipment's, its value. Refusal 404."""
    for each in reversed(of.insurances.values()):
        if each["tracking_code"] == code:
            return each["id"], None, each["amount"]
    for shipment in reversed(of.shipments.values()):
        if shipment["tracking_code"] == code and shipment["insurance"]:
            return None, shipment["id"], shipment["insurance"]
    value = of.insured_up_to
    if value is not None and any(number == code for _, number in of.parcels):
        return None, None, value
    raise _NoInsurance(404, "NOT_FOUND", "The requested resource could not be found.")


class _NoInsurance(Refusal):
    """EasyPost's other envelope: its errors are plain words."""

    def envelope(self) -> Json:
        return {"error": {"code": self.code, "errors": [NONE], "message": self.message}}


def _kept(urls: list[str]) -> list[str]:
    """Where the files lie: as at EasyPost, each under a name of its own."""
    kinds = [url.removeprefix("data:").partition(";")[0].rpartition("/")[2] for url in urls]
    base = "https://easypost-files.s3-us-west-2.amazonaws.com/insurance"
    return [f"{base}/{new_id('f')[2:]}.{kind}" for kind in kinds]


def _move(of: Account, claim: Json, status: str, detail: str) -> None:
    now = stamp(of.clock())
    step = {"status": status, "status_detail": detail, "timestamp": now}
    claim["history"] = [step, *claim["history"]]
    claim.update(status=status, status_detail=detail, status_timestamp=now, updated_at=now)
    word = {"in_review": "updated", "approved_partial": "approved"}.get(status, status)
    of.happened(f"claim.{word}", dict(claim))


@bp.get("/v2/claims")
def index() -> Response:
    asked = query(ask.PageAsked)
    return jsonify(page(list(reversed(account().claims.values())), asked, "claims"))


@bp.get("/v2/claims/<id>")
def show(id: str) -> Response:
    no_query()
    return jsonify(one(account().claims, id))


@bp.post("/v2/claims/<id>/cancel")
def cancel(id: str) -> Response:
    claim = one(account().claims, id)
    if claim["status"] in ENDED:
        raise Refusal(422, "CLAIM.CANCEL.ERROR", "The claim has ended already.")
    _move(account(), claim, "cancelled", SAID["cancelled"])
    return jsonify(claim)


@bp.put("/_sandbox/insured")
def insure_all() -> Response:
    """Every registered parcel is insured from now on, and claims are approved after a while."""
    only_from_here()
    asked = body(AllInsured)
    account().insured_up_to = asked.amount
    account().insurer_waits = timedelta(seconds=asked.decides_after)
    return jsonify(asked.model_dump())


def decide_due(of: Account) -> None:
    """Approve what has waited long enough, where the insurer decides by itself."""
    waits = of.insurer_waits
    for claim in of.claims.values() if waits is not None else ():
        waited = of.clock() - datetime.fromisoformat(claim["created_at"])
        if claim["status"] == "submitted" and waits is not None and waited >= waits:
            claim["approved_amount"] = claim["requested_amount"]
            _move(of, claim, "approved", SAID["approved"])


@bp.post("/_sandbox/claims/<id>")
def decide(id: str) -> Response:
    """Let the insurer decide."""
    only_from_here()
    asked = body(ClaimDecided)
    claim = one(account().claims, id)
    if asked.status.startswith("approved"):
        claim["approved_amount"] = asked.amount or claim["requested_amount"]
    _move(account(), claim, asked.status, asked.detail or SAID[asked.status])
    return jsonify(claim)


@bp.post("/_sandbox/claims/<id>/question")
def question(id: str) -> Response:
    """Let the insurer ask for something."""
    only_from_here()
    claim = one(account().claims, id)
    message: Json = {
        "id": new_id("cmsg"),
        "object": "ClaimMessage",
        "mode": "test",
        "claim_id": claim["id"],
        "direction": "outbound",
        "body": body(ClaimQuestion).body,
        "attachments": [],
        "created_at": stamp(account().clock()),
    }
    account().happened("claim.message", message)
    return jsonify(message)
