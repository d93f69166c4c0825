"""What customers see."""

from flask import Blueprint

from portal.pages import codes, lookup, media, rma, tracking, unsubscribe, updates, wizard

blueprints: tuple[Blueprint, ...] = (
    lookup.bp,
    tracking.bp,
    codes.bp,
    updates.bp,
    unsubscribe.bp,
    media.bp,
    wizard.bp,
    rma.bp,
)
