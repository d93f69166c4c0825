"""The stand-in's EasyPost routes for shipments, postage, labels and refunds."""

from flask import Blueprint, Response, jsonify, request

from portal.sandbox import asked as ask
from portal.sandbox import labels, shipments
from portal.sandbox.account import one, page
from portal.sandbox.easypost import account, body, no_query, query
from portal.sandbox.refusals import Json, not_found

bp = Blueprint("easypost_shipments", __name__)


def _files() -> str:
    return f"{request.host_url}files/postage_label"


@bp.post("/v2/shipments")
def create() -> tuple[Response, int]:
    shipment = shipments.create(account(), body(ask.ShipmentAsked, "shipment"))
    return jsonify(shipments.shown(account(), shipment)), 201


@bp.get("/v2/shipments")
def index() -> Response:
    asked = query(ask.ShipmentPageAsked)
    fit = [each for each in account().shipments.values() if _fits(each, asked)]
    newest = [shipments.shown(account(), each) for each in reversed(fit)]
    return jsonify(page(newest, asked, "shipments"))


def _fits(shipment: Json, asked: ask.ShipmentPageAsked) -> bool:
    bought = shipment["postage_label"] is not None
    return asked.purchased in (None, bought) and asked.reference in (None, shipment["reference"])


@bp.get("/v2/shipments/<id>")
def show(id: str) -> Response:
    no_query()
    return jsonify(shipments.shown(account(), one(account().shipments, id)))


@bp.post("/v2/shipments/<id>/buy")
def buy(id: str) -> Response:
    shipment = one(account().shipments, id)
    return jsonify(shipments.buy(account(), shipment, body(ask.BuyAsked), _files()))


@bp.post("/v2/shipments/<id>/refund")
def refund(id: str) -> Response:
    body(ask.NothingAsked)
    return jsonify(shipments.refund(account(), one(account().shipments, id)))


@bp.get("/v2/shipments/<id>/label")
def convert_label(id: str) -> Response:
    form = query(ask.LabelAsked).file_format.lower()
    shipment = one(account().shipments, id)
    return jsonify(shipments.convert_label(account(), shipment, form, _files()))


@bp.post("/v2/shipments/<id>/forms")
def add_form(id: str) -> tuple[Response, int]:
    asked = body(ask.FormAsked, "form")
    files = f"{request.host_url}files/form"
    shipment = one(account().shipments, id)
    return jsonify(shipments.add_form(account(), shipment, asked.type, files)), 201


@bp.get("/v2/rates/<id>")
def show_rate(id: str) -> Response:
    no_query()
    rates = (rate for each in account().shipments.values() for rate in each["rates"])
    return jsonify(one({rate["id"]: rate for rate in rates}, id))


@bp.post("/v2/refunds")
def create_refunds() -> tuple[Response, int]:
    return jsonify(shipments.refund_codes(account(), body(ask.RefundAsked, "refund"))), 201


@bp.get("/v2/refunds")
def list_refunds() -> Response:
    asked = query(ask.PageAsked)
    return jsonify(page(list(reversed(account().refunds.values())), asked, "refunds"))


@bp.get("/v2/refunds/<id>")
def show_refund(id: str) -> Response:
    no_query()
    return jsonify(one(account().refunds, id))


@bp.get("/files/form/<name>")
def form_file(name: str) -> Response:
    """The code that is shown at a counter instead of a label."""
    for shipment in account().shipments.values():
        if any(form["form_url"].endswith(f"/{name}") for form in shipment["forms"]):
            return Response(labels.draw_code(shipment), mimetype="image/png")
    raise not_found()


@bp.get("/files/postage_label/<name>")
def label_file(name: str) -> Response:
    """The label itself; whoever has the address may read it, as at EasyPost."""
    label, _, form = name.partition(".")
    for shipment in account().shipments.values():
        bought = shipment["postage_label"]
        if bought is not None and bought["id"] == label and form in labels.TYPES:
            return Response(labels.draw(shipment, form), mimetype=labels.TYPES[form])
    raise not_found()
