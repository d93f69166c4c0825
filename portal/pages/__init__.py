"""What customers see."""

from flask import Blueprint

from portal.pages import codes, lookup, media, tracking, unsubscribe, updates

blueprints: tuple[Blueprint, ...] = (
    lookup.bp,
    tracking.bp,
    codes.bp,
    updates.bp,
    unsubscribe.bp,
    media.bp,
)
