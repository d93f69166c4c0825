"""The stand-in's Stripe routes for files: what is sent as evidence is laid down here first."""

from typing import Final

from flask import Blueprint, Response, jsonify, request

from portal.sandbox.stripe_account import new_id
from portal.sandbox.stripe_desk import till
from portal.sandbox.stripe_refusals import misasked

bp = Blueprint("stripe_files", __name__, url_prefix="/stripe/v1")

LARGEST: Final = 5 * 1024 * 1024
TYPES: Final = {b"%PDF": "pdf", b"\x89PNG": "png", b"\xff\xd8\xff": "jpg"}


@bp.post("/files")
def create() -> Response:
    unknown = set(request.form) - {"purpose"}
    if unknown:
        name = min(unknown)
        raise misasked(f"Received unknown parameter: {name}", "parameter_unknown", name)
    file, purpose = request.files.get("file"), request.form.get("purpose", "")
    if file is None or not purpose:
        missing = "file" if file is None else "purpose"
        raise misasked(f"Missing required param: {missing}.", "parameter_missing", missing)
    if purpose != "dispute_evidence":
        raise misasked("The sandbox takes files as dispute_evidence only.", None, "purpose")
    content = file.stream.read()
    kind = next((kind for start, kind in TYPES.items() if content.startswith(start)), None)
    if kind is None or len(content) > LARGEST:
        raise misasked("The file is too large, or no PDF, PNG or JPEG.", None, "file")
    made = till().put(
        {
            "id": new_id("file"),
            "object": "file",
            "created": till().seconds(),
            "expires_at": None,
            "filename": file.filename,
            "links": None,
            "purpose": purpose,
            "size": len(content),
            "title": None,
            "type": kind,
            "url": None,
        }
    )
    till().contents[made["id"]] = content
    till().account.effects["file.created"] += 1
    return jsonify(made)


@bp.get("/files/<id>")
def show(id: str) -> Response:
    return jsonify(till().one("file", id, "file"))
