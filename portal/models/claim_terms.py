"""A shop's terms of claims as they are changed: the next version, and who did it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from portal.db import session
from portal.models.audit import record
from portal.models.claim_facts import SETTING, terms_of
from portal.models.shop import Shop
from portal.protection.claim_terms import ClaimTerms
from portal.sources.sentences import read_as
from portal.tenancy import shop_in_scope


def shop_to_change() -> Shop:
    """The shop in scope, locked for this transaction."""
    wanted = select(Shop).where(Shop.id == shop_in_scope()).with_for_update()
    return session.scalars(wanted.execution_options(populate_existing=True)).one()


def change_terms(shop: Shop, document: dict[str, Any], by: str, why: str = "") -> ClaimTerms:
    """Give the shop other terms, as the next version. Raises Invalid with sentences.

    Claims that were decided stay as they were decided. `shop` is what `shop_to_change` gave.
    """
    old = terms_of(shop)
    new = read_as(ClaimTerms, {**document, "version": old.version + 1})
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    shop.settings = {**shop.settings, SETTING: after}
    changed = [name for name in after if after[name] != before[name]]
    was, now = ({name: side[name] for name in changed} for side in (before, after))
    record(by, "claims.terms", f"shop:{shop.slug}", was, now, why)
    return new
