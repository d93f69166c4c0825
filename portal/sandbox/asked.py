"""What may be asked of the stand-in. Anything else, or of another type, is refused."""

import json
import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from werkzeug.datastructures import MultiDict

from portal.sandbox.refusals import FieldError, Refusal, required, unprocessable

Text = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\r\n\x00]*$")]
Code = Annotated[str, StringConstraints(pattern=r"^\s*[0-9A-Za-z -]{4,64}\s*$")]
Amount = Annotated[str, StringConstraints(pattern=r"^\d{1,7}(\.\d{1,5})?$")]


class Asked(BaseModel):
    """Strict: a number in quotes is not a number, an unknown field is not overlooked."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class TrackerAsked(Asked):
    tracking_code: Code
    carrier: Text | None = None
    amount: Amount | None = None
    carrier_account_id: Text | None = None
    is_return: bool = False
    full_test_tracker: bool = False


class BatchAsked(Asked):
    tracking_codes: Annotated[list[Code], Field(min_length=1, max_length=100)]
    carrier: Text | None = None


class HeaderAsked(Asked):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")]
    value: Annotated[str, StringConstraints(pattern=r"^[ -~]{1,255}$")]


class WebhookChange(Asked):
    webhook_secret: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    custom_headers: list[HeaderAsked] | None = None


class WebhookAsked(WebhookChange):
    url: Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=2000)]


class EventAsked(Asked):
    result_id: Text


class AddressAsked(Asked):
    """An address in full, or the id of one given before."""

    id: Text | None = None
    name: str | None = None
    company: str | None = None
    street1: str | None = None
    street2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    phone: str | None = None
    email: str | None = None
    residential: bool | None = None
    federal_tax_id: str | None = None
    state_tax_id: str | None = None


class ParcelAsked(Asked):
    weight: Annotated[float, Field(gt=0, le=2400)]  # ounces
    length: Annotated[float, Field(gt=0)] | None = None  # inches
    width: Annotated[float, Field(gt=0)] | None = None
    height: Annotated[float, Field(gt=0)] | None = None
    predefined_package: Text | None = None


class CustomsItemAsked(Asked):
    description: Text
    quantity: Annotated[int, Field(gt=0)]
    weight: Annotated[float, Field(gt=0)]
    value: float | str
    hs_tariff_number: str | None = None
    origin_country: str
    code: str | None = None
    manufacturer: str | None = None
    currency: str | None = None
    eccn: str | None = None
    printed_commodity_identifier: str | None = None


class CustomsAsked(Asked):
    contents_explanation: str | None = None
    contents_type: str | None = None
    customs_certify: bool = False
    customs_signer: str | None = None
    eel_pfc: str | None = None
    non_delivery_option: str | None = None
    restriction_comments: str | None = None
    restriction_type: str | None = None
    declaration: str | None = None
    customs_items: Annotated[list[CustomsItemAsked], Field(min_length=1)]


class OptionsAsked(BaseModel):
    """Options are many and free at EasyPost; the ones we act on are checked."""

    model_config = ConfigDict(extra="allow", strict=True)
    label_format: Annotated[str, StringConstraints(pattern="^(PNG|PDF)$")] | None = None


class ShipmentAsked(Asked):
    to_address: AddressAsked
    from_address: AddressAsked
    parcel: ParcelAsked
    is_return: bool = False
    reference: Text | None = None
    options: OptionsAsked | None = None
    customs_info: CustomsAsked | None = None


class RateChosen(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)
    id: Text


class BuyAsked(Asked):
    rate: RateChosen
    insurance: Amount | None = None


class FormAsked(Asked):
    """One form for a shipment. Others of EasyPost's are not made here, and refused."""

    type: Literal["label_qr_code"]


class NothingAsked(Asked):
    pass


class RefundAsked(Asked):
    carrier: Text
    tracking_codes: Annotated[list[Code], Field(min_length=1, max_length=100)]


class InsuranceAsked(Asked):
    """Insurance of a parcel whose label was bought elsewhere."""

    tracking_code: Code
    amount: Amount
    carrier: Text | None = None
    to_address: AddressAsked | None = None
    from_address: AddressAsked | None = None
    reference: Text | None = None


Files = list[Annotated[str, StringConstraints(pattern=r"^data:[a-z]+/[a-z+.-]+;base64,")]]


class ClaimAsked(Asked):
    """A claim; what is sent along are data URLs."""

    tracking_code: Code
    type: Literal["loss", "theft", "damage"]
    amount: Amount
    description: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    contact_email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
    email_evidence_attachments: Annotated[Files, Field(max_length=20)] = Field(default_factory=list)
    invoice_attachments: Annotated[Files, Field(max_length=20)] = Field(default_factory=list)
    supporting_documentation_attachments: Annotated[Files, Field(max_length=20)] = Field(
        default_factory=list
    )
    recipient_name: str | None = None
    payment_method: Literal["easypost_wallet", "mailed_check"] = "easypost_wallet"
    reference: Text | None = None


class PageAsked(BaseModel):
    """Query of a list; query values are words, so numbers and times are read from them."""

    model_config = ConfigDict(extra="forbid")
    page_size: Annotated[int, Field(ge=1, le=100)] = 20
    before_id: str | None = None
    after_id: str | None = None
    start_datetime: AwareDatetime | None = None
    end_datetime: AwareDatetime | None = None


class TrackerPageAsked(PageAsked):
    tracking_code: str | None = None
    tracking_codes: list[str] | None = None
    carrier: str | None = None


class ShipmentPageAsked(PageAsked):
    purchased: bool | None = None
    include_children: bool | None = None
    reference: str | None = None


class LabelAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    file_format: Annotated[str, StringConstraints(pattern="^(?i:png|pdf)$")]


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], data: object, wrapper: str | None = None) -> Model:
    """The request as `model`, taken out of `wrapper` where EasyPost wraps. Raises Refusal 422."""
    if not isinstance(data, dict):
        raise Refusal(400, "BAD_REQUEST", "The request body must be a JSON object.")
    if wrapper is not None:
        if not data.get(wrapper):
            raise required(wrapper)
        strangers = sorted(set(data) - {wrapper})
        if strangers:
            raise unprocessable([{"field": name, "message": "is unknown"} for name in strangers])
        data = data[wrapper]
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _refusal(error) from None


def read_query(model: type[Model], args: "MultiDict[str, str]") -> Model:
    """The query as `model`; `name[]` may repeat, any other name may not. Raises Refusal 422."""
    values: dict[str, Any] = {}
    for name, given in args.lists():
        if name.endswith("[]"):
            values[name.removesuffix("[]")] = given
        elif len(given) == 1:
            values[name] = given[0]
        else:
            raise unprocessable([{"field": name, "message": "was given more than once"}])
    return read(model, values)


def read_body(raw: bytes) -> object:
    """The JSON of a body; an empty one is an empty object. Raises Refusal 400."""
    try:
        return json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(400, "BAD_REQUEST", "The request body is not valid JSON.") from None


def plain_code(code: str) -> str:
    """A tracking number as carriers print it: no blanks, no dashes, upper case."""
    return re.sub(r"[\s-]", "", code).upper()


def _refusal(error: ValidationError) -> Refusal:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    missing = [entry for entry in found if entry["type"] == "missing"]
    if missing:
        return required(_path(missing[0]["loc"]))
    errors: list[FieldError] = [
        {"field": _path(entry["loc"]), "message": entry["msg"], "suggestion": None}
        for entry in found
    ]
    return unprocessable(errors)


def _path(parts: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in parts)
