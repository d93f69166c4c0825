"""The evidence pack, for who decides: made anew each time, and every download in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Response, abort, send_file

from portal import clock
from portal.db import session, writing
from portal.evidence.pack import write_pack
from portal.evidence.summary import Facts
from portal.models import Dispute
from portal.models.audit import record
from portal.models.claim import Claim
from portal.models.dispute_acts import evidence_of_dispute
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
    return _sent(facts, photos, f"claim:{claim_id}", claim.number)


@bp.get("/disputes/<dispute_id>/evidence.zip")
@needs("decide")
def dispute_pack(dispute_id: str) -> Response:
    """A dispute's pack, as it would be sent to the bank."""
    row = session.get(Dispute, dispute_id) or abort(404)
    facts = evidence_of_dispute(row, clock.now())
    return _sent(facts, photos_of(row.order_id), f"order:{row.order_id}", row.provider_id)


def _sent(facts: Facts, photos: Sequence[Path], subject: str, name: str) -> Response:
    session.rollback()
    with writing():
        record(me().who, TAKEN, subject, after={"for": name})
    return send_file(
        write_pack(facts, photos),
        mimetype="application/zip",
        as_attachment=True,
        download_name=f"evidence-{name}.zip",
        max_age=0,
    )
