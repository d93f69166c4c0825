"""The stand-in's EasyPost routes, /v2: trackers, events and webhooks."""

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, current_app, jsonify, request
from pydantic import BaseModel

from portal.sandbox import asked as ask
from portal.sandbox import trackers
from portal.sandbox.account import Account, Hook, Tracker, new_id, one, page
from portal.sandbox.asked import read, read_body, read_query
from portal.sandbox.refusals import Json, Refusal

LISTED_FOR: Final = timedelta(days=30)  # lists reach back a month unless a start is given

bp = Blueprint("easypost", __name__, url_prefix="/v2")


def account() -> Account:
    found: Account = current_app.extensions["account"]
    return found


def body(model: type[ask.Model], wrapper: str | None = None) -> ask.Model:
    return read(model, read_body(request.get_data()), wrapper)


def query(model: type[ask.Model]) -> ask.Model:
    """The query, strictly; a list reaches back a month unless told otherwise."""
    found = read_query(model, request.args)
    if isinstance(found, ask.PageAsked) and found.start_datetime is None:
        found.start_datetime = account().clock() - LISTED_FOR
    return found


def no_query() -> None:
    query(_Nothing)


class _Nothing(BaseModel):
    model_config = {"extra": "forbid"}


@bp.post("/trackers")
def create_tracker() -> tuple[Response, int]:
    """201 for a new tracker, 200 for the one already there."""
    tracker, new = trackers.open_tracker(account(), body(ask.TrackerAsked, "tracker"))
    answer = jsonify(trackers.shown(account(), tracker))
    answer.headers["Location"] = f"/api/v2/trackers/{tracker.id}"
    return answer, 201 if new else 200


@bp.post("/trackers/batch")
def create_trackers() -> Response:
    asked = body(ask.BatchAsked)
    found = []
    for code in asked.tracking_codes:
        wanted = ask.TrackerAsked(tracking_code=code, carrier=asked.carrier)
        tracker, _ = trackers.open_tracker(account(), wanted)
        found.append(trackers.listed(account(), tracker))
    return jsonify({"trackers": found, "has_more": False})


@bp.get("/trackers")
def list_trackers() -> Response:
    asked = query(ask.TrackerPageAsked)
    fit = [each for each in account().trackers.values() if _fits(each, asked)]
    shown = [trackers.listed(account(), each) for each in reversed(fit)]
    return jsonify(page(shown, asked, "trackers"))


def _fits(tracker: Tracker, asked: ask.TrackerPageAsked) -> bool:
    codes = [*(asked.tracking_codes or ()), *filter(None, [asked.tracking_code])]
    wanted = {ask.plain_code(code) for code in codes}
    return (not wanted or tracker.tracking_code in wanted) and (
        asked.carrier in (None, tracker.carrier)
    )


@bp.get("/trackers/<id>")
def show_tracker(id: str) -> Response:
    no_query()
    return jsonify(trackers.shown(account(), one(account().trackers, id)))


@bp.delete("/trackers/<id>")
def delete_tracker(id: str) -> Response:
    one(account().trackers, id)
    del account().trackers[id]
    account().effects["tracker.deleted"] += 1
    return jsonify({"success": True})


@bp.get("/events")
def list_events() -> Response:
    asked = query(ask.PageAsked)
    newest = [event.listed() for event in reversed(account().events.values())]
    return jsonify(page(newest, asked, "events"))


@bp.get("/events/<id>")
def show_event(id: str) -> Response:
    no_query()
    return jsonify(one(account().events, id).shown())


@bp.post("/events")
def resend_event() -> tuple[Response, int]:
    """Send the newest event of that object again, under its own id."""
    wanted = body(ask.EventAsked, "event").result_id
    newest = reversed(account().events.values())
    event = next((each for each in newest if each.result["id"] == wanted), None)
    if event is None:
        raise Refusal(404, "NOT_FOUND", "The requested resource could not be found.")
    hooks = [hook for hook in account().hooks.values() if hook.disabled_at is None]
    account().send(event, hooks)
    account().effects["event.resent"] += 1
    return jsonify(event.shown()), 201


@bp.get("/events/<id>/payloads")
def list_payloads(id: str) -> Response:
    one(account().events, id)
    return jsonify({"payloads": []})


@bp.get("/events/<id>/payloads/<payload_id>")
def show_payload(id: str, payload_id: str) -> Response:
    one(account().events, id)
    raise Refusal(404, "PAYLOAD.NOT_FOUND", "The payload(s) could not be found.")


@bp.post("/webhooks")
def create_webhook() -> tuple[Response, int]:
    asked = body(ask.WebhookAsked, "webhook")
    headers = [header.model_dump() for header in asked.custom_headers or []]
    now = account().clock()
    hook = Hook(new_id("hook"), asked.url, asked.webhook_secret, headers, now)
    account().hooks[hook.id] = hook
    account().effects["webhook.created"] += 1
    return jsonify(hook.shown()), 201


@bp.get("/webhooks")
def list_webhooks() -> Response:
    query(ask.PageAsked)
    newest: list[Json] = [hook.shown() for hook in reversed(account().hooks.values())]
    return jsonify({"webhooks": newest})


@bp.get("/webhooks/<id>")
def show_webhook(id: str) -> Response:
    no_query()
    return jsonify(one(account().hooks, id).shown())


@bp.patch("/webhooks/<id>")
def update_webhook(id: str) -> tuple[Response, int]:
    """Change secret or headers; a disabled webhook works again."""
    hook: Hook = one(account().hooks, id)
    asked = body(ask.WebhookChange)
    if asked.webhook_secret is not None:
        hook.secret = asked.webhook_secret
    if asked.custom_headers is not None:
        hook.headers = [header.model_dump() for header in asked.custom_headers]
    hook.disabled_at, hook.failures = None, 0
    return jsonify(hook.shown()), 201


@bp.delete("/webhooks/<id>")
def delete_webhook(id: str) -> Response:
    one(account().hooks, id).is_gone = True
    del account().hooks[id]
    return jsonify({})
