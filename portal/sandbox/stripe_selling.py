"""The stand-in's Stripe routes for checkout sessions, disputes, events and webhook endpoints."""

from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify
from stripe import params
from stripe.params import checkout

from portal.sandbox import stripe_disputes as disputes
from portal.sandbox import stripe_sessions as sessions
from portal.sandbox.account import one as one_of
from portal.sandbox.refusals import Refusal
from portal.sandbox.stripe_account import StripeHook, new_id
from portal.sandbox.stripe_desk import asked, merged, page, pages, shown, till
from portal.sandbox.stripe_refusals import misasked, missing

bp = Blueprint("stripe_selling", __name__, url_prefix="/stripe/v1")

CURSOR: Final = "limit starting_after ending_before"
LIST: Final = f"created {CURSOR}"


@bp.post("/checkout/sessions")
def create_session() -> Response:
    given = asked(checkout.SessionCreateParams, sessions.ACTS_ON)
    return shown(sessions.create(till(), given, pages()), given)


@bp.get("/checkout/sessions")
def list_sessions() -> Response:
    given = asked(checkout.SessionListParams, f"customer payment_intent status {LIST}")
    wanted = {name: given.get(name) for name in ("customer", "payment_intent", "status")}
    return page(till().newest("checkout.session", **wanted), given, "checkout.session")


@bp.get("/checkout/sessions/<id>")
def show_session(id: str) -> Response:
    given = asked(checkout.SessionRetrieveParams)
    return shown(till().one("checkout.session", id, "session"), given)


@bp.post("/checkout/sessions/<id>/expire")
def expire_session(id: str) -> Response:
    session = till().one("checkout.session", id, "session")
    given = asked(checkout.SessionExpireParams)
    return shown(sessions.expire(till(), session), given)


@bp.get("/checkout/sessions/<id>/line_items")
def list_lines(id: str) -> Response:
    session = till().one("checkout.session", id, "session")
    given = asked(checkout.SessionLineItemListParams, CURSOR)
    return page(till().lines[session["id"]], given, "item")


@bp.get("/disputes")
def list_disputes() -> Response:
    given = asked(params.DisputeListParams, f"charge payment_intent {LIST}")
    wanted = {name: given.get(name) for name in ("charge", "payment_intent")}
    return page(till().newest("dispute", **wanted), given, "dispute")


@bp.get("/disputes/<id>")
def show_dispute(id: str) -> Response:
    given = asked(params.DisputeRetrieveParams)
    return shown(till().one("dispute", id, "dispute"), given)


@bp.post("/disputes/<id>")
def update_dispute(id: str) -> Response:
    dispute = till().one("dispute", id, "dispute")
    given = asked(params.DisputeUpdateParams, "evidence metadata submit")
    return shown(disputes.answer(till(), dispute, given), given)


@bp.post("/disputes/<id>/close")
def close_dispute(id: str) -> Response:
    """Accept it: the money stays with the card's owner."""
    dispute = till().one("dispute", id, "dispute")
    given = asked(params.DisputeCloseParams)
    return shown(disputes.decide(till(), dispute, "lost"), given)


@bp.get("/events")
def list_events() -> Response:
    given = asked(params.EventListParams, f"type types {LIST}")
    kinds = set(given.get("types", ())) | ({given["type"]} if "type" in given else set())
    rows = [
        event.posted()
        for event in reversed(till().events.values())
        if not kinds or _is_of(event.kind, kinds)
    ]
    return page(rows, given, "event")


def _is_of(kind: str, kinds: set[str]) -> bool:
    return any(
        kind == each or (each.endswith("*") and kind.startswith(each[:-1])) for each in kinds
    )


@bp.get("/events/<id>")
def show_event(id: str) -> Response:
    given = asked(params.EventRetrieveParams)
    return shown(_one(till().events, "event", id).posted(), given)


@bp.post("/webhook_endpoints")
def create_hook() -> Response:
    """The secret is told here and never again."""
    given = asked(params.WebhookEndpointCreateParams, "description enabled_events metadata url")
    secret = till().webhook_secret or new_id("whsec", 32)
    hook = StripeHook(new_id("we"), _url(given), secret, [], till().now())
    hook.enabled_events = given["enabled_events"]
    hook.description = given.get("description") or None
    hook.metadata = dict(given.get("metadata") or {})
    hook.clock = till().account.clock  # the receiver's clock, which the door never moves
    till().hooks[hook.id] = hook
    return jsonify({**hook.shown(), "secret": secret})


def _url(given: dict[str, Any]) -> str:
    url = str(given["url"])
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise misasked(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            "url_invalid",
            "url",
        )
    return url


@bp.get("/webhook_endpoints")
def list_hooks() -> Response:
    given = asked(params.WebhookEndpointListParams, CURSOR)
    return page(
        [hook.shown() for hook in reversed(till().hooks.values())], given, "webhook endpoint"
    )


@bp.get("/webhook_endpoints/<id>")
def show_hook(id: str) -> Response:
    given = asked(params.WebhookEndpointRetrieveParams)
    return shown(_one(till().hooks, "webhook endpoint", id).shown(), given)


@bp.post("/webhook_endpoints/<id>")
def update_hook(id: str) -> Response:
    hook: StripeHook = _one(till().hooks, "webhook endpoint", id)
    given = asked(
        params.WebhookEndpointUpdateParams, "description disabled enabled_events metadata url"
    )
    if "url" in given:
        hook.url = _url(given)
    hook.enabled_events = given.get("enabled_events", hook.enabled_events)
    if "disabled" in given:
        hook.disabled_at = till().now() if given["disabled"] else None
        hook.failures = 0
    about: dict[str, Any] = {
        "object": "webhook_endpoint",
        "description": hook.description,
        "metadata": hook.metadata,
    }
    merged(about, given, "description")
    hook.description = about["description"]
    return shown(hook.shown(), given)


@bp.delete("/webhook_endpoints/<id>")
def delete_hook(id: str) -> Response:
    hook: StripeHook = _one(till().hooks, "webhook endpoint", id)
    del till().hooks[hook.id]
    hook.is_gone = True
    return jsonify({"id": hook.id, "object": "webhook_endpoint", "deleted": True})


def _one(shelf: dict[str, Any], noun: str, id: str) -> Any:
    try:
        return one_of(shelf, id)
    except Refusal:
        raise missing(noun, id) from None
