"""The books in words: what each figure is, kinds of claims, states, and why a quote was refused."""

from __future__ import annotations

from typing import Final

from portal.protection.books import WHOLE

CLAIM_KINDS: Final = {
    "lost": "Lost",
    "not_received": "Delivered, not received",
    "damaged": "Damaged",
    "missing_item": "Something missing",
    "wrong_item": "Wrong thing",
}
# What each figure is, for the list of its rows: its title, and what it means.
FIGURES: Final = {
    "premium": ("Premiums", "What customers paid for cover, less what was given back."),
    "sold": ("Premiums sold", "What customers paid for cover, in the month they paid."),
    "back": ("Given back", "Premiums of cover that was given up, in the month it was."),
    "earned": (
        "Earned",
        "Premiums whose journey has ended: every parcel of the order is there, is back, or was "
        "paid for as lost; or the cover itself has ended. Of cover that was given up: never.",
    ),
    "reserve": (
        "Reserve",
        "Premiums that were paid, not given back and not earned yet: the journey goes on.",
    ),
    "paid": (
        "Paid",
        "What went out for claims under cover: refunds, store credit, and the value of what was "
        "sent again. A refund that the bank sent back is taken off again.",
    ),
    "recovered": ("Recovered", "What a carrier or an insurer paid for claims under cover."),
    "paid_uncovered": (
        "Paid without cover",
        "What went out for claims on orders without cover. It is no part of the other figures.",
    ),
    "recovered_uncovered": (
        "Recovered without cover",
        "What a carrier or an insurer paid for claims on orders without cover.",
    ),
    "claims": ("Claims", "Claims made under cover in these months, but those called off."),
    "open": (
        "Open claims",
        "Claims under cover that are not paid yet. Expected is what they cost if all are accepted: "
        "what was paid for the pieces, within what the cover has left.",
    ),
    "parcels": ("Covered parcels", "Covered parcels whose premium was earned in these months."),
    "claimed": ("Parcels with a claim", "Those of them that something was claimed of."),
    "refused": ("Refused quotes", "Quotes that became no cover. Nothing was booked for them."),
}
# What a row says, by its code.
SAYS: Final = {
    "premium": "Premium",
    "earned": "Premium earned",
    "refunded": "Refund",
    "credited": "Store credit",
    "payout": "Sent again",
    "recovered": "Recovered",
}
REFUSED: Final = {
    "altered": "It was not signed by us, or was changed since",
    "other_shop": "It is another shop's",
    "stale": "It had run out when the order was placed",
    "reused": "Another order has used it",
    "currency": "Bought in another currency than quoted",
    "country": "Sent to another country than quoted",
    "lines": "Other things were bought than quoted",
    "categories": "The goods are of other kinds than quoted",
    "value": "Another value was bought than quoted",
    "on_its_way": "A carrier had scanned the parcel",
    "covered_already": "The order was covered already",
    "order_cancelled": "The order was cancelled",
}
CHANNELS: Final = {"order": "with the order", "api": "afterwards", "page": "on the order's page"}


def percent(points: int | None) -> str:
    """Basis points as per cent, such as 71.3%; "too few" where there are not enough to say."""
    return "too few" if points is None else f"{points * 100 / WHOLE:.1f}%"
