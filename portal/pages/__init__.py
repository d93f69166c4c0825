"""What customers see."""

from flask import Blueprint

from portal.pages import (
    account,
    claim_form,
    claim_page,
    codes,
    events,
    instant,
    lookup,
    media,
    payment,
    photos,
    policy_page,
    protection,
    rma,
    tracking,
    unsubscribe,
    updates,
    withdraw,
    wizard,
)

blueprints: tuple[Blueprint, ...] = (
    account.bp,
    lookup.bp,
    tracking.bp,
    events.bp,
    codes.bp,
    updates.bp,
    unsubscribe.bp,
    media.bp,
    wizard.bp,
    rma.bp,
    payment.bp,
    instant.bp,
    photos.bp,
    withdraw.bp,
    claim_form.bp,
    claim_page.bp,
    policy_page.bp,
    protection.bp,
)
