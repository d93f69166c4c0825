"""Variants: what can be bought, as far as exchanges need to know."""

from __future__ import annotations

from pydantic import BaseModel

from portal.api.endpoint import Call, endpoint
from portal.api.refusal import not_found
from portal.api.replies import VariantReply, variant_reply
from portal.db import session
from portal.models import Variant
from portal.models.audit import record
from portal.sources.document import Sku, VariantDocument
from portal.sources.sentences import Invalid, read_as


class _Named(BaseModel):
    sku: Sku


@endpoint(
    "PUT",
    "/variants/{sku}",
    scope="orders",
    body=VariantDocument,
    replies={201: VariantReply, 200: VariantReply},
)
def put_variant(call: Call, sku: str) -> tuple[int, VariantReply]:
    """Store a variant as a whole: what is not sent takes its default.

    `available` null means that pieces are not counted.
    """
    read_as(_Named, {"sku": sku})
    variant, created, changed = Variant.put(sku, call.body, call.now)
    session.flush()
    if changed:
        record(call.caller.who, "variant.put", f"variant:{variant.id}")
    return (201 if created else 200), variant_reply(variant)


@endpoint("GET", "/variants/{sku}", scope="orders", replies={200: VariantReply})
def read_variant(call: Call, sku: str) -> tuple[int, VariantReply]:
    """Read a variant."""
    try:
        read_as(_Named, {"sku": sku})
    except Invalid:
        raise not_found() from None
    variant = Variant.of(sku)
    if variant is None:
        raise not_found()
    return 200, variant_reply(variant)
