"""The stand-in's Stripe routes for people: customers, their cards, and saving one."""

from typing import Final

from flask import Blueprint, Response
from stripe import params

from portal.sandbox import stripe_methods as methods
from portal.sandbox import stripe_objects as born
from portal.sandbox import stripe_setups as setups
from portal.sandbox.stripe_desk import asked, merged, page, pages, shown, till

bp = Blueprint("stripe_people", __name__, url_prefix="/stripe/v1")

CUSTOMER: Final = "address description email name phone shipping"
CURSOR: Final = "limit starting_after ending_before"
LIST: Final = f"created {CURSOR}"


@bp.post("/customers")
def create_customer() -> Response:
    given = asked(params.CustomerCreateParams, f"metadata payment_method {CUSTOMER}")
    customer = till().put(born.customer(till()))
    merged(customer, given, *CUSTOMER.split())
    till().happened("customer.created", customer)
    if given.get("payment_method"):
        method = methods.given_method(till(), given["payment_method"], {"customer": None})
        methods.attach(till(), method, customer["id"])
    return shown(customer, given)


@bp.get("/customers")
def list_customers() -> Response:
    given = asked(params.CustomerListParams, f"email {LIST}")
    return page(till().newest("customer", email=given.get("email")), given, "customer")


@bp.get("/customers/<id>")
def show_customer(id: str) -> Response:
    given = asked(params.CustomerRetrieveParams)
    return shown(till().one("customer", id, "customer"), given)


@bp.post("/customers/<id>")
def update_customer(id: str) -> Response:
    customer = till().one("customer", id, "customer")
    given = asked(params.CustomerUpdateParams, f"metadata {CUSTOMER}")
    merged(customer, given, *CUSTOMER.split())
    till().happened("customer.updated", customer)
    return shown(customer, given)


@bp.get("/customers/<id>/payment_methods")
def list_cards_of(id: str) -> Response:
    customer = till().one("customer", id, "customer")
    given = asked(params.CustomerPaymentMethodListParams, f"type {CURSOR}")
    return page(till().newest("payment_method", customer=customer["id"]), given, "PaymentMethod")


@bp.post("/payment_methods")
def create_method() -> Response:
    given = asked(params.PaymentMethodCreateParams, "billing_details card metadata type")
    method = methods.from_token(till(), given)
    merged(method, given)
    return shown(method, given)


@bp.get("/payment_methods")
def list_methods() -> Response:
    given = asked(params.PaymentMethodListParams, f"customer type {CURSOR}")
    rows = till().newest("payment_method", customer=given.get("customer"))
    return page([row for row in rows if row["customer"]], given, "PaymentMethod")


@bp.get("/payment_methods/<id>")
def show_method(id: str) -> Response:
    given = asked(params.PaymentMethodRetrieveParams)
    return shown(till().one("payment_method", id, "payment_method"), given)


@bp.post("/payment_methods/<id>/attach")
def attach_method(id: str) -> Response:
    given = asked(params.PaymentMethodAttachParams, "customer")
    method = methods.given_method(till(), id, {"customer": given.get("customer")})
    return shown(methods.attach(till(), method, given.get("customer", "")), given)


@bp.post("/payment_methods/<id>/detach")
def detach_method(id: str) -> Response:
    given = asked(params.PaymentMethodDetachParams)
    return shown(methods.detach(till(), till().one("payment_method", id)), given)


@bp.post("/setup_intents")
def create_setup() -> Response:
    given = asked(
        params.SetupIntentCreateParams,
        "automatic_payment_methods confirm customer description metadata payment_method "
        "return_url usage",
    )
    return shown(setups.create(till(), given, pages()), given)


@bp.get("/setup_intents")
def list_setups() -> Response:
    given = asked(params.SetupIntentListParams, f"customer payment_method {LIST}")
    wanted = {name: given.get(name) for name in ("customer", "payment_method")}
    return page(till().newest("setup_intent", **wanted), given, "setupintent")


@bp.get("/setup_intents/<id>")
def show_setup(id: str) -> Response:
    given = asked(params.SetupIntentRetrieveParams)
    return shown(till().one("setup_intent", id, "intent"), given)


@bp.post("/setup_intents/<id>/confirm")
def confirm_setup(id: str) -> Response:
    setup = till().one("setup_intent", id, "intent")
    given = asked(params.SetupIntentConfirmParams, "payment_method return_url")
    return shown(setups.confirm(till(), setup, given, pages()), given)


@bp.post("/setup_intents/<id>/cancel")
def cancel_setup(id: str) -> Response:
    setup = till().one("setup_intent", id, "intent")
    given = asked(params.SetupIntentCancelParams, "cancellation_reason")
    return shown(setups.cancel(till(), setup, given.get("cancellation_reason")), given)
