"""What all of Stripe's routes share: the till, reading what was asked, showing what was found."""

from typing import Any

from flask import Response, current_app, jsonify, request

from portal.sandbox.refusals import Json
from portal.sandbox.stripe_account import Till
from portal.sandbox.stripe_asked import read
from portal.sandbox.stripe_refusals import missing, wrong

ROOT = "/stripe"
PREFIXES = {
    "pi_": "payment_intent",
    "ch_": "charge",
    "re_": "refund",
    "seti_": "setup_intent",
    "cus_": "customer",
    "pm_": "payment_method",
    "txn_": "balance_transaction",
    "dp_": "dispute",
}


def till() -> Till:
    """Stripe's side of the account."""
    found: Till = current_app.extensions["till"]
    return found


def pages() -> str:
    """Where the hosted pages are, as seen by who asked."""
    return request.host_url.rstrip("/") + ROOT


def asked(params: type, acts_on: str = "") -> Json:
    """The parameters of this call: the query of a GET, the form of anything else."""
    raw = request.query_string if request.method == "GET" else request.get_data()
    if request.method != "GET" and request.query_string:
        raise wrong("POST parameters belong into the body, not into the URL.")
    try:
        return read(params, raw.decode(), acts_on)
    except UnicodeDecodeError:
        raise wrong("The request is not UTF-8.") from None


def shown(thing: Json, given: Json) -> Response:
    """The object, with what `expand` asks for in full."""
    return jsonify(expanded(thing, given.get("expand", ())))


def expanded(thing: Json, paths: Any) -> Json:
    """A copy with the objects behind the ids of `paths`, such as latest_charge.balance_transaction.

    Raises StripeRefusal 400 for a path that leads nowhere.
    """
    found = dict(thing)
    for path in paths:
        _expand(found, path.split("."), path)
    return found


def _expand(thing: Json, steps: list[str], path: str) -> None:
    name = steps[0]
    value = thing.get(name) if name in thing else _hidden(thing, name)
    if name not in thing and value is None:
        raise wrong(f"This property cannot be expanded ({path}).", param="expand[0]")
    if isinstance(value, str):
        kind = next((kind for start, kind in PREFIXES.items() if value.startswith(start)), None)
        if kind is None:
            raise wrong(f"This property cannot be expanded ({path}).", param="expand[0]")
        value = till().one(kind, value)
    if isinstance(value, dict):
        value = dict(value)
        if len(steps) > 1:
            _expand(value, steps[1:], path)
    thing[name] = value


def _hidden(thing: Json, name: str) -> Json | None:
    """Lists that are shown only where they are asked for."""
    if (thing["object"], name) == ("charge", "refunds"):
        rows = till().newest("refund", charge=thing["id"])
        return listed(rows[:10], f"/v1/charges/{thing['id']}/refunds", len(rows) > 10)
    if (thing["object"], name) == ("checkout.session", "line_items"):
        rows = till().lines[thing["id"]]
        url = f"/v1/checkout/sessions/{thing['id']}/line_items"
        return listed(rows[:10], url, len(rows) > 10)
    return None


def listed(rows: list[Json], url: str, has_more: bool) -> Json:
    """A list as Stripe wraps it."""
    return {"object": "list", "data": rows, "has_more": has_more, "url": url}


def page(rows: list[Json], given: Json, noun: str) -> Response:
    """A page of `rows` (newest first) as `given` asks: limit, cursors, created, expand."""
    rows = [row for row in rows if _within(row.get("created", 0), given.get("created"))]
    limit = given.get("limit", 10)
    if not 1 <= limit <= 100:
        raise wrong("The limit must be between 1 and 100.", param="limit")
    ids = [row["id"] for row in rows]
    if "starting_after" in given:
        rows = rows[_place(ids, given["starting_after"], noun, "starting_after") + 1 :]
    has_more = len(rows) > limit
    if "ending_before" in given:
        before = rows[: _place(ids, given["ending_before"], noun, "ending_before")]
        rows, has_more = before[-limit:], len(before) > limit
    inner = [path.removeprefix("data.") for path in given.get("expand", ())]
    shown = [expanded(row, inner) for row in rows[:limit]]
    return jsonify(listed(shown, request.path.removeprefix(ROOT), has_more))


def _place(ids: list[str], wanted: str, noun: str, param: str) -> int:
    if wanted not in ids:
        raise missing(noun, wanted, param, 400)
    return ids.index(wanted)


def _within(created: int, asked: Any) -> bool:
    if asked is None:
        return True
    if isinstance(asked, int):
        return created == asked
    return bool(
        created > asked.get("gt", -1)
        and created >= asked.get("gte", 0)
        and created < asked.get("lt", created + 1)
        and created <= asked.get("lte", created)
    )


def merged(thing: Json, given: Json, *names: str) -> None:
    """Write the `names` of an update onto an object; metadata is merged, an empty value unsets."""
    for name in names:
        if name in given:
            thing[name] = given[name] if given[name] != "" else None
    if given.get("metadata") == "":
        thing["metadata"] = {}
    for key, value in (given.get("metadata") or {}).items():
        thing["metadata"].pop(key, None)
        if value != "":
            thing["metadata"][key] = value
