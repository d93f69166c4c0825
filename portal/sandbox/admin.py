"""The door behind the stand-in, /_sandbox: parcels, faults and what was seen. Loopback only."""

from datetime import datetime
from typing import Annotated, Literal

from flask import Blueprint, Response, abort, current_app, jsonify, request
from pydantic import AwareDatetime, Field, StringConstraints

from carriers.simulated import KINDS, ROUTES
from portal.sandbox import trackers
from portal.sandbox.account import Account, fine_stamp, stamp
from portal.sandbox.asked import Asked, Code, Text, plain_code, read_body
from portal.sandbox.carrier_names import NAMES
from portal.sandbox.delivery import Courier
from portal.sandbox.easypost import account, body
from portal.sandbox.faults import FaultAsked, HookFaultAsked
from portal.sandbox.parcels import Parcel
from portal.sandbox.refusals import Json, not_found, unprocessable

bp = Blueprint("sandbox_admin", __name__, url_prefix="/_sandbox")


class ParcelRegistered(Asked):
    """A demo parcel; see parcels.py for what `days`, `seconds` and `shown` mean.

    `ends` (ISO 8601 with offset) pins the end of the story, so that the same parcel registered
    again after a restart has the same scans; with `ends` ahead and no `seconds`, scans come at
    their true hours. `promised` is the carrier's expected delivery, else the story's own.
    `tracker_id` opens its tracker under that id, so that those who know the id find it again.
    `local_times` gives scans the offset of their town. `route` lays the story elsewhere, as
    carriers.simulated.ROUTES names it.
    """

    tracking_code: Code
    carrier: Text
    kind: Text
    days: Annotated[float, Field(gt=0, le=365)] = 12
    seconds: Annotated[float, Field(gt=0, le=86_400)] | None = None
    shown: Annotated[int, Field(ge=0)] | None = None
    ends: Annotated[AwareDatetime, Field(strict=False)] | None = None
    promised: Annotated[AwareDatetime, Field(strict=False)] | None = None
    service: Text = "GroundAdvantage"
    local_times: bool = False
    route: str = ""
    tracker_id: Annotated[str, StringConstraints(pattern=r"^trk_[0-9a-f]{32}$")] | None = None


class LabelStory(Asked):
    """How parcels move whose label is bought from now on; see parcels.py for `days`, `seconds`."""

    kind: Text
    days: Annotated[float, Field(gt=0, le=365)] = 3
    seconds: Annotated[float, Field(gt=0, le=86_400)] | None = None
    shown: Annotated[int, Field(ge=0)] | None = None
    route: str = ""


class HookFaults(HookFaultAsked):
    on: Literal["webhooks"]


@bp.before_request
def only_from_here() -> None:
    """Other machines, and pages of other sites in a browser here, see nothing."""
    name = request.host.rsplit(":", 1)[0].strip("[]")
    near = name in ("127.0.0.1", "localhost", "::1") or name.endswith(".localhost")
    if request.remote_addr not in ("127.0.0.1", "::1") or not near or request.origin is not None:
        abort(403)


@bp.post("/parcels")
def register() -> tuple[Response, int]:
    """201, or 200 where it replaced a parcel of the same number and carrier."""
    asked = body(ParcelRegistered)
    _check_story(asked.kind, asked.route)
    if asked.carrier not in NAMES:
        raise unprocessable([{"field": "carrier", "message": "is not a supported carrier"}])
    given = asked.model_dump(exclude={"tracker_id", "tracking_code"})
    parcel = Parcel(plain_code(asked.tracking_code), **given)
    parcel.start(account().clock())
    key = (parcel.carrier, parcel.tracking_code)
    status = 200 if key in account().parcels else 201
    account().parcels[key] = parcel
    if asked.tracker_id is not None and asked.tracker_id not in account().trackers:
        trackers.add_tracker(
            account(), parcel.tracking_code, parcel.carrier, tracker_id=asked.tracker_id
        )
    return jsonify(_shown(parcel)), status


def _check_story(kind: str, route: str) -> None:
    if kind not in KINDS:
        message = f"is none of {', '.join(KINDS)}"
        raise unprocessable([{"field": "kind", "message": message}])
    if route not in ROUTES:
        raise unprocessable([{"field": "route", "message": "is not a route of the stories"}])


@bp.put("/label-story")
def tell_labels() -> Response:
    """Without it a bought label's parcel stays unknown until it is registered."""
    asked = body(LabelStory)
    _check_story(asked.kind, asked.route)

    def begin(code: str, carrier: str, now: datetime) -> Parcel:
        parcel = Parcel(code, carrier, **asked.model_dump())
        parcel.start(now)
        return parcel

    account().label_story = begin
    return jsonify(asked.model_dump())


@bp.get("/parcels")
def parcels() -> Response:
    return jsonify({"parcels": [_shown(parcel) for parcel in account().parcels.values()]})


@bp.get("/parcels/<code>")
def parcel(code: str) -> Response:
    return jsonify(_shown(_parcel(code)))


@bp.post("/parcels/<code>/advance")
def advance(code: str) -> Response:
    """Tell the next scan now; `told` is false when the story is over."""
    parcel = _parcel(code)
    told = trackers.advance(account(), parcel)
    return jsonify({**_shown(parcel), "advanced": told})


@bp.post("/parcels/<code>/restart")
def restart(code: str) -> Response:
    """Begin the story anew, ending as long from now as at first; scans told before are gone."""
    parcel = _parcel(code)
    parcel.ends = None
    parcel.start(account().clock())
    return jsonify(_shown(parcel))


def _parcel(code: str) -> Parcel:
    wanted, carrier = plain_code(code), request.args.get("carrier")
    for (name, number), parcel in account().parcels.items():
        if number == wanted and carrier in (None, name):
            return parcel
    raise not_found()


def _shown(parcel: Parcel) -> Json:
    dues = [planned.due for planned in parcel.planned]
    return {
        "tracking_code": parcel.tracking_code,
        "carrier": parcel.carrier,
        "kind": parcel.kind,
        "status": parcel.told[-1]["status"] if parcel.told else "unknown",
        "told": [stamp(step["at"]) for step in parcel.told],
        "planned": len(parcel.planned),
        "next_at": _moment(dues[0]) if dues else None,
        "trackers": [
            each.id for each in account().trackers.values() if account().scans_of(each) is parcel
        ],
    }


def _moment(due: datetime | None) -> str | None:
    return fine_stamp(due) if due else None


@bp.post("/faults")
def add_fault() -> tuple[Response, int]:
    """A fault for requests, or with `"on": "webhooks"` for deliveries."""
    asked = read_body(request.get_data())
    on_hooks = isinstance(asked, dict) and asked.get("on") == "webhooks"
    account().faults.add(body(HookFaults) if on_hooks else body(FaultAsked))
    return jsonify({"waiting": account().faults.waiting()}), 201


@bp.get("/faults")
def faults() -> Response:
    return jsonify({"waiting": account().faults.waiting()})


@bp.delete("/faults")
def clear_faults() -> Response:
    account().faults.clear()
    return jsonify({"waiting": []})


@bp.get("/log")
def log() -> Response:
    """Requests seen (the latest 5,000, without keys and secrets), and counts of what they did."""
    return jsonify({"requests": list(account().log), **_counts(account())})


@bp.get("/counts")
def counts() -> Response:
    return jsonify(_counts(account()))


@bp.delete("/log")
def clear_log() -> Response:
    account().log.clear()
    account().requests.clear()
    account().effects.clear()
    _courier().outcomes.clear()
    return jsonify(_counts(account()))


def _counts(of: Account) -> Json:
    return {
        "routes": dict(of.requests),
        "effects": dict(of.effects),
        "webhooks": {**_courier().outcomes, "waiting": _courier().waiting()},
    }


def _courier() -> Courier:
    found: Courier = current_app.extensions["courier"]
    return found
