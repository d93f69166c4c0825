"""Labels for the way back, through EasyPost: a shipment with its rates, bought once, or given back.

There is no idempotency key. What makes buying safe is that a shipment can be bought only once:
its id is kept before it is bought, and after a lost answer that very shipment is looked at. One
that was opened and never bought costs nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit

from easypost.requestor import RequestMethod

from carriers.contract import (
    BadPayload,
    CarrierError,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Transient,
)
from carriers.easypost import EasyPost
from carriers.easypost_wire import NOT_SENT
from carriers.names import canonical

OUNCE_G: Final = Decimal("28.349523125")
BOUGHT_BEFORE: Final = "SHIPMENT.POSTAGE.EXISTS"
UNCLEAR: Final = frozenset(
    {
        "SHIPMENT.POSTAGE.TIMED_OUT",
        "SHIPMENT.POSTAGE.NO_RESPONSE",
        "SHIPMENT.PURCHASE.IN_PROGRESS",
        "TRACKER.CREATE.ERROR",  # of the label's own tracker, or "a duplicate is in flight"
    }
)
# Where EasyPost keeps label files.
FILES: Final = re.compile(
    r"(?:[a-z0-9-]+\.)*easypost\.com|easypost-files(?:-[a-z0-9-]+)?\.s3[a-z0-9.-]*\.amazonaws\.com"
)
_SHIPMENT_ID: Final = re.compile(r"shp_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel starts or ends. `country` has two letters."""

    name: str
    line1: str
    city: str
    country: str
    line2: str = ""
    region: str = ""
    postcode: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """What customs are told of so many pieces of one article: `value` and `weight_g` of all."""

    description: str
    quantity: int
    value: Decimal
    currency: str
    weight_g: int
    origin: str


@dataclass(frozen=True, slots=True)
class Rate:
    """What one service would cost."""

    id: str
    carrier: str
    service: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Postage:
    """A label that was bought. `reference` is ours."""

    shipment: str
    reference: str
    carrier: str
    service: str
    tracking_number: str
    rate: Rate
    png_url: str = ""
    pdf_url: str = ""
    qr_url: str = ""
    is_given_back: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A shipment as EasyPost has it; `bought` once there is a label."""

    id: str
    reference: str
    rates: tuple[Rate, ...]
    bought: Postage | None


class LabelDesk(EasyPost):
    """EasyPost where labels are bought as well. Every failure is a CarrierError."""

    def open_return(
        self,
        reference: str,
        customer: Address,
        shop: Address,
        weight_g: int,
        items: Sequence[Item] = (),
    ) -> Offer:
        """A way back from the customer to the shop, with what it would cost; nothing is bought.

        The addresses stay as they were for the way there: EasyPost swaps them for the label.
        """
        wanted: dict[str, Any] = {
            "to_address": _address(customer),
            "from_address": _address(shop),
            "parcel": {"weight": _ounces(weight_g)},
            "is_return": True,
            "reference": reference,
        }
        if items:
            wanted["customs_info"] = _customs(items, shop)
        return _offer(self._call(RequestMethod.POST, "/shipments", {"shipment": wanted}))

    def read_shipment(self, id: str) -> Offer:
        """A shipment as it stands now: the only thing to trust after a lost answer."""
        _check(id)
        found = _offer(self._call(RequestMethod.GET, f"/shipments/{id}"))
        if found.id != id:
            raise BadPayload("EasyPost answered about another shipment; nothing of it was used.")
        return found

    def buy(self, id: str, rate: Rate) -> Postage:
        """Buy the label, once for ever: what was bought before is given as it stands.

        Raises OutcomeUnknown where it may have been bought: look at the shipment before anything.
        """
        _check(id)
        try:
            offer = _offer(self._change(f"/shipments/{id}/buy", {"rate": {"id": rate.id}}))
        except Rejected as error:
            if error.code != BOUGHT_BEFORE:
                raise
            offer = self.read_shipment(id)
        if offer.bought is None:
            raise OutcomeUnknown("EasyPost said it sold a label and shows none. Look again later.")
        return offer.bought

    def as_pdf(self, postage: Postage) -> str:
        """Where the label is as a PDF; "" where EasyPost does not make one."""
        path = f"/shipments/{postage.shipment}/label"
        try:
            found = self._call(RequestMethod.GET, path, {"file_format": "PDF"})
        except CarrierError:
            return ""
        return _url(found.get("postage_label"), "label_pdf_url")

    def as_code(self, postage: Postage) -> str:
        """Where the code is that stands for the label at the counter; "" where there is none."""
        path = f"/shipments/{postage.shipment}/forms"
        try:
            found = self._call(RequestMethod.POST, path, {"form": {"type": "label_qr_code"}})
        except CarrierError:
            return ""
        forms = found.get("forms")
        made = [
            _url(form, "form_url")
            for form in (forms if isinstance(forms, list) else [])
            if isinstance(form, dict) and form.get("form_type") == "label_qr_code"
        ]
        return made[-1] if made else ""

    def give_back(self, id: str) -> None:
        """Ask for the postage of an unused label. Safe to repeat.

        Raises Rejected where it was used, OutcomeUnknown where nobody knows.
        """
        offer = self.read_shipment(id)
        if offer.bought is not None and not offer.bought.is_given_back:
            self._change(f"/shipments/{id}/refund", {})

    def is_label_file(self, url: str) -> bool:
        """Whether a label's file may lie there: with EasyPost, or with its stand-in."""
        try:
            there, base = urlsplit(url), urlsplit(self._base)
            same = (there.scheme, there.hostname, there.port)
            if same == (base.scheme, base.hostname, base.port):
                return True
        except ValueError:
            return False
        return there.scheme == "https" and bool(FILES.fullmatch(there.hostname or ""))

    def _change(self, path: str, params: dict[str, Any]) -> dict[str, Any]:
        """A call that buys or gives back: a lost answer leaves the outcome unknown."""
        try:
            return self._call(RequestMethod.POST, path, params)
        except CarrierError as error:
            failure = doubted(error)
        raise failure


def doubted(error: CarrierError) -> CarrierError:
    """What a failed change comes to: of unknown outcome where its answer was lost on the way."""
    lost = isinstance(error, Transient) and error.code != NOT_SENT
    if lost or isinstance(error, BadPayload) or error.code in UNCLEAR:
        sentence = "EasyPost's answer did not arrive whole. Look it up before asking again."
        return OutcomeUnknown(sentence, retry_after=error.retry_after, code=error.code)
    return error


def cheapest(rates: Iterable[Rate], carriers: Sequence[str], currency: str) -> Rate | None:
    """The least of what the shop's carriers cost; any carrier where it names none.

    Amounts in different currencies are not compared: the shop's counts, else the first one's.
    """
    allowed = {_carrier(name) for name in carriers}
    fit = [rate for rate in rates if not allowed or _carrier(rate.carrier) in allowed]
    own = [rate for rate in fit if rate.currency == currency]
    same = own or [rate for rate in fit if rate.currency == fit[0].currency]
    return min(same, key=lambda rate: (rate.amount, rate.id), default=None)


def _carrier(name: str) -> str:
    known = canonical(name)
    return known.code if known else name.casefold()


def _check(id: str) -> None:
    if not _SHIPMENT_ID.fullmatch(id):
        raise NotFound("This is not the id of an EasyPost shipment; nothing was sent.")


def _address(address: Address) -> dict[str, str]:
    told = {
        "name": address.name,
        "street1": address.line1,
        "street2": address.line2,
        "city": address.city,
        "state": address.region,
        "zip": address.postcode,
        "country": address.country,
        "phone": address.phone,
        "email": address.email,
    }
    return {name: value for name, value in told.items() if value}


def _ounces(grams: int) -> float:
    return float(max(Decimal("0.1"), (Decimal(grams) / OUNCE_G).quantize(Decimal("0.1"))))


def _customs(items: Sequence[Item], shop: Address) -> dict[str, Any]:
    return {
        "contents_type": "returned_goods",
        "contents_explanation": "",
        "customs_certify": True,
        "customs_signer": shop.name,
        "eel_pfc": "NOEEI 30.37(a)",
        "non_delivery_option": "return",
        "restriction_type": "none",
        "customs_items": [
            {
                "description": item.description[:255],
                "quantity": item.quantity,
                "value": str(item.value),
                "currency": item.currency,
                "weight": _ounces(item.weight_g),
                "origin_country": item.origin,
            }
            for item in items
        ],
    }


def _offer(found: Mapping[str, Any]) -> Offer:
    """A shipment out of an answer. Raises BadPayload."""
    id = found.get("id")
    rates = found.get("rates")
    if not isinstance(id, str) or not _SHIPMENT_ID.fullmatch(id) or not isinstance(rates, list):
        raise BadPayload("EasyPost sent something that is no shipment; nothing of it was used.")
    return Offer(
        id=id,
        reference=_word(found, "reference"),
        rates=tuple(_rate(each) for each in rates),
        bought=_postage(found) if found.get("postage_label") is not None else None,
    )


def _rate(found: object) -> Rate:
    if not isinstance(found, dict):
        raise BadPayload("EasyPost sent a rate that cannot be read; nothing of it was used.")
    try:
        amount = Decimal(str(found.get("rate")))
    except InvalidOperation:
        amount = Decimal("NaN")
    words = [_word(found, name) for name in ("id", "carrier", "service", "currency")]
    if not amount.is_finite() or amount < 0 or not all(words):
        raise BadPayload("EasyPost sent a rate that cannot be read; nothing of it was used.")
    id, carrier, service, currency = words
    return Rate(id, carrier, service, amount, currency.upper())


def _postage(found: Mapping[str, Any]) -> Postage:
    rate = _rate(found.get("selected_rate"))
    number = _word(found, "tracking_code")
    if not number:
        raise BadPayload("EasyPost sent a label without its number; nothing of it was used.")
    label = found.get("postage_label")
    return Postage(
        shipment=str(found["id"]),
        reference=_word(found, "reference"),
        carrier=rate.carrier,
        service=rate.service,
        tracking_number=number,
        rate=rate,
        png_url=_url(label, "label_url"),
        pdf_url=_url(label, "label_pdf_url"),
        is_given_back=found.get("refund_status") in ("submitted", "refunded"),
    )


def _word(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value[:200] if isinstance(value, str) else ""


def _url(found: object, name: str) -> str:
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) and len(value) < 2000 else ""
