"""What is said where cover is offered, before anybody chooses. Shops may only add to it."""

from __future__ import annotations

from typing import Final


def N_(text: str) -> str:  # noqa: N802 - the name gettext tools know
    """Mark `text` for translation without translating it yet."""
    return text


TITLE: Final = N_("Delivery protection")
SUMMARY: Final = N_("Covers loss, theft after delivery and damage on the way.")
LIMIT: Final = N_("Covered up to %(cover)s.")
PARCEL_LIMIT: Final = N_("Covered up to %(cover)s, at most %(parcel)s for one parcel.")
RETURNS: Final = N_("Sending something back is free as well.")
PROVIDER: Final = N_("Given by %(name)s as its own service.")
INSURER: Final = N_("Given by %(name)s (%(licence)s).")
HOW_TO_CLAIM: Final = N_(
    "If something goes wrong, tell us on your tracking page: within %(damaged)d days of delivery, "
    "or after %(lost)d days without news."
)
RIGHTS: Final = N_(
    "You keep your normal rights without it: until the parcel is handed to you the risk is the "
    "shop's, and faulty goods are put right free of charge."
)
CLIMATE: Final = N_("%(amount)s of the price goes to %(what)s.")
ACCEPT: Final = N_("Add protection for %(price)s")
DECLINE: Final = N_("Continue without protection")
CANCEL: Final = N_("You can cancel it within a day, or until the parcel is sent.")
# What the shop says of its last year, where it wants to.
CLAIMED: Final = N_("In the last 12 months, %(share)s of %(parcels)s covered parcels had a claim.")
NONE_CLAIMED: Final = N_("In the last 12 months, none of %(parcels)s covered parcels had a claim.")
LESS_THAN: Final = N_("less than %(share)s")
PAID_OUT: Final = N_("Of every %(whole)s paid for protection, %(part)s was paid out.")
NOT_PAID_OUT: Final = N_("Nothing had to be paid out.")

STANDARD: Final = (
    *(TITLE, SUMMARY, LIMIT, PARCEL_LIMIT, RETURNS, PROVIDER, INSURER, HOW_TO_CLAIM),
    *(RIGHTS, CLIMATE, ACCEPT, DECLINE, CANCEL),
    *(CLAIMED, NONE_CLAIMED, LESS_THAN, PAID_OUT, NOT_PAID_OUT),
)
