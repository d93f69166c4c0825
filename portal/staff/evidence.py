"""The evidence pack, for who decides: made anew each time, and every download in the audit."""

from __future__ import annotations

from flask import Response, abort, send_file

from portal import clock
from portal.db import session, writing
from portal.evidence.pack import write_pack
from portal.models.audit import record
from portal.models.claim import Claim
from portal.models.evidence import evidence_of_claim, photos_of
from portal.staff.desk import bp
from portal.staff.rights import me, needs

TAKEN = "evidence.taken"


@bp.get("/claims/<claim_id>/evidence.zip")
@needs("decide")
def claim_evidence(claim_id: str) -> Response:
    """A claim's pack."""
    claim = Claim.read(claim_id) or abort(404)
    facts = evidence_of_claim(claim, clock.now())
    photos = photos_of(claim.order_id, claim.id)
    number = claim.number
    session.rollback()
    with writing():
        record(me().who, TAKEN, f"claim:{claim_id}")
    pack = write_pack(facts, photos)
    return send_file(
        pack,
        mimetype="application/zip",
        as_attachment=True,
        download_name=f"evidence-{number}.zip",
        max_age=0,
    )
