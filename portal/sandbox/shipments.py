"""Shipments, rates, postage and refunds, in EasyPost's shape and with its one-way moves."""

from datetime import datetime
from decimal import Decimal
from random import SystemRandom
from typing import Any, Final

from portal.sandbox import trackers
from portal.sandbox.account import Account, new_id, stamp
from portal.sandbox.asked import (
    AddressAsked,
    BuyAsked,
    CustomsAsked,
    ParcelAsked,
    RefundAsked,
    ShipmentAsked,
    plain_code,
)
from portal.sandbox.refusals import Json, Refusal, not_found, required

CARRIER_ACCOUNT: Final = "ca_" + "0" * 31 + "1"
# service, days, price for the first pound and for each further one, in dollars
SERVICES: Final = (
    ("Express", 1, Decimal("29.80"), Decimal("2.15")),
    ("Priority", 2, Decimal("8.05"), Decimal("0.85")),
    ("GroundAdvantage", 4, Decimal("5.45"), Decimal("0.55")),
)
UNSET: Final[Json] = {
    "batch_id": None,
    "batch_status": None,
    "batch_message": None,
    "insurance": None,
    "order_id": None,
    "postage_label": None,
    "refund_status": None,
    "scan_form": None,
    "selected_rate": None,
    "tracker": None,
    "tracking_code": None,
}
chance = SystemRandom()


def create(account: Account, asked: ShipmentAsked) -> Json:
    """A new shipment with its rates. Raises Refusal 422 for half an address, 404 for a lost id."""
    now = account.clock()
    sender = _address(account, asked.from_address, "shipment.from_address", now)
    receiver = _address(account, asked.to_address, "shipment.to_address", now)
    options = asked.options.model_dump(exclude_none=True) if asked.options else {}
    shipment: Json = {
        "id": new_id("shp"),
        **_stamps(now),
        "is_return": asked.is_return,
        "messages": [],
        "mode": "test",
        "options": {**options, "currency": "USD", "payment": {"type": "SENDER"}, "date_advance": 0},
        "reference": asked.reference,
        "status": "unknown",
        **UNSET,
        "customs_info": _customs(asked.customs_info, now) if asked.customs_info else None,
        "from_address": sender,
        "to_address": receiver,
        "return_address": sender,
        "buyer_address": receiver,
        "parcel": _parcel(asked.parcel, now),
        "usps_zone": 4,
        "forms": [],
        "fees": [],
        "object": "Shipment",
    }
    shipment["rates"] = [_rate(shipment, service, now) for service in SERVICES]
    account.shipments[shipment["id"]] = shipment
    account.effects["shipment.created"] += 1
    return shipment


def shown(account: Account, shipment: Json) -> Json:
    """The shipment with its tracker as it stands now."""
    tracker = account.trackers.get(shipment["tracker"] or "")
    if tracker is None:
        return {**shipment, "tracker": None}
    now = trackers.listed(account, tracker)
    return {**shipment, "tracker": now, "status": now["status"]}


def buy(account: Account, shipment: Json, asked: BuyAsked, files: str) -> Json:
    """Buy the chosen rate, once. `files` is where label files are served from."""
    if shipment["postage_label"] is not None:
        message = "Postage already exists for this shipment."
        raise Refusal(422, "SHIPMENT.POSTAGE.EXISTS", message)
    rate = next((rate for rate in shipment["rates"] if rate["id"] == asked.rate.id), None)
    if rate is None:
        raise not_found()
    now = account.clock()
    code = "94" + "".join(chance.choice("0123456789") for _ in range(20))
    shipment.update(
        selected_rate=rate,
        tracking_code=code,
        insurance=asked.insurance,
        updated_at=stamp(now),
        postage_label=_label(shipment, now, files),
        fees=[_fee("LabelFee", "0.00000"), _fee("PostageFee", f"{Decimal(rate['rate']):.5f}")],
    )
    account.effects["label.bought"] += 1
    if account.label_story is not None:
        account.parcels[rate["carrier"], code] = account.label_story(code, rate["carrier"], now)
    tracker = trackers.add_tracker(
        account,
        code,
        rate["carrier"],
        shipment_id=shipment["id"],
        is_return=shipment["is_return"],
    )
    shipment["tracker"] = tracker.id
    return shown(account, shipment)


def convert_label(account: Account, shipment: Json, form: str, files: str) -> Json:
    """Offer the label in another form too. Raises Refusal 422 before postage is bought."""
    label = shipment["postage_label"]
    if label is None:
        raise Refusal(422, "SHIPMENT.LABEL.UNAVAILABLE", "Postage must be bought first.")
    url = f"{files}/{label['id']}.{form}"
    label["label_pdf_url" if form == "pdf" else "label_url"] = url
    return shown(account, shipment)


def add_form(account: Account, shipment: Json, kind: str, files: str) -> Json:
    """Make one more form of this kind. Raises Refusal 422 before postage is bought."""
    if shipment["postage_label"] is None:
        raise Refusal(422, "SHIPMENT.FORM.UNAVAILABLE", "Postage must be bought first.")
    form = new_id("form")
    made = {
        "object": "Form",
        "id": form,
        **_stamps(account.clock()),
        "mode": "test",
        "form_type": kind,
        "form_url": f"{files}/{form}.png",
        "submitted_electronically": None,
    }
    shipment["forms"] = [*shipment["forms"], made]
    return shown(account, shipment)


def refund(account: Account, shipment: Json) -> Json:
    """Ask for the postage back: once, and only for a label no carrier has seen."""
    _refund(account, shipment)
    return shown(account, shipment)


def refund_codes(account: Account, asked: RefundAsked) -> list[Json]:
    """One refund for each code: submitted, or rejected where it may not be."""
    by_code = {each["tracking_code"]: each for each in account.shipments.values()}
    shipments = [by_code.get(plain_code(code)) for code in asked.tracking_codes]
    lost = [code for code, each in zip(asked.tracking_codes, shipments, strict=True) if not each]
    if lost:
        raise not_found()
    return [_refund_or_reject(account, each) for each in shipments if each]


def _refund_or_reject(account: Account, shipment: Json) -> Json:
    try:
        return _refund(account, shipment)
    except Refusal:
        return _refund_object(account, shipment, "rejected")


def _refund(account: Account, shipment: Json) -> Json:
    if shipment["postage_label"] is None:
        raise Refusal(422, "SHIPMENT.REFUND.UNAVAILABLE", "No postage was bought.")
    if shipment["refund_status"] is not None:
        raise Refusal(422, "SHIPMENT.REFUND.UNAVAILABLE", "A refund was asked for before.")
    tracker = account.trackers.get(shipment["tracker"])
    parcel = account.scans_of(tracker) if tracker else None
    if parcel and any(step["status"] != "pre_transit" for step in parcel.told):
        raise Refusal(422, "SHIPMENT.REFUND.UNAVAILABLE", "The label has been used.")
    shipment["refund_status"] = "submitted"
    shipment["updated_at"] = stamp(account.clock())
    account.effects["label.refunded"] += 1
    return _refund_object(account, shipment, "submitted")


def _refund_object(account: Account, shipment: Json, status: str) -> Json:
    refund: Json = {
        "id": new_id("rfnd"),
        "object": "Refund",
        **_stamps(account.clock()),
        "tracking_code": shipment["tracking_code"],
        "confirmation_number": None,
        "status": status,
        "carrier": shipment["selected_rate"]["carrier"],
        "shipment_id": shipment["id"],
    }
    account.refunds[refund["id"]] = refund
    return refund


def _stamps(now: datetime) -> Json:
    return {"created_at": stamp(now), "updated_at": stamp(now)}


def _address(account: Account, asked: AddressAsked, path: str, now: datetime) -> Json:
    if asked.id is not None:
        return _known_address(account, asked.id)
    for part in ("street1", "city", "country"):
        if not getattr(asked, part):
            raise required(f"{path}.{part}")
    if not (asked.name or asked.company):
        raise required(f"{path}.name")
    moment = stamp(now).replace("Z", "+00:00")
    return {
        **asked.model_dump(),
        "id": new_id("adr"),
        "object": "Address",
        "created_at": moment,
        "updated_at": moment,
        "mode": "test",
        "carrier_facility": None,
        "verifications": {},
    }


def _known_address(account: Account, wanted: str) -> Json:
    for shipment in account.shipments.values():
        for side in ("from_address", "to_address"):
            if shipment[side]["id"] == wanted:
                found: Json = shipment[side]
                return found
    raise not_found()


def _parcel(asked: ParcelAsked, now: datetime) -> Json:
    return {
        "id": new_id("prcl"),
        "object": "Parcel",
        **_stamps(now),
        **asked.model_dump(),
        "mode": "test",
    }


def _customs(asked: CustomsAsked, now: datetime) -> Json:
    def item(given: Any) -> Json:
        base = {"id": new_id("cstitem"), "object": "CustomsItem", **_stamps(now), "mode": "test"}
        return {**base, **given.model_dump(), "value": str(given.value)}

    base = {"id": new_id("cstinfo"), "object": "CustomsInfo", **_stamps(now), "mode": "test"}
    items = [item(given) for given in asked.customs_items]
    return {**base, **asked.model_dump(), "customs_items": items}


def _rate(shipment: Json, service: tuple[str, int, Decimal, Decimal], now: datetime) -> Json:
    name, days, first, further = service
    pounds = (Decimal(str(shipment["parcel"]["weight"])) / 16).to_integral_value("ROUND_CEILING")
    price = first + further * (pounds - 1)
    return {
        "id": new_id("rate"),
        "object": "Rate",
        **_stamps(now),
        "mode": "test",
        "service": name,
        "carrier": "USPS",
        "rate": f"{price:.2f}",
        "currency": "USD",
        "retail_rate": f"{price * Decimal('1.25'):.2f}",
        "retail_currency": "USD",
        "list_rate": f"{price * Decimal('1.10'):.2f}",
        "list_currency": "USD",
        "billing_type": "easypost",
        "delivery_days": days,
        "delivery_date": None,
        "delivery_date_guaranteed": False,
        "est_delivery_days": days,
        "shipment_id": shipment["id"],
        "carrier_account_id": CARRIER_ACCOUNT,
    }


def _label(shipment: Json, now: datetime, files: str) -> Json:
    label = new_id("pl")
    form = shipment["options"].get("label_format", "PNG").lower()
    return {
        "object": "PostageLabel",
        "id": label,
        **_stamps(now),
        "date_advance": 0,
        "integrated_form": "none",
        "label_date": stamp(now),
        "label_resolution": 150,
        "label_size": "4x6",
        "label_type": "default",
        "label_file_type": {"png": "image/png", "pdf": "application/pdf"}[form],
        "label_url": f"{files}/{label}.{form}",
        "label_pdf_url": None,
        "label_zpl_url": None,
        "label_epl2_url": None,
        "label_file": None,
    }


def _fee(kind: str, amount: str) -> Json:
    return {"object": "Fee", "type": kind, "amount": amount, "charged": True, "refunded": False}
