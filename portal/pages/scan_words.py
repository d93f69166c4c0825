"""Our own sentence for what a carrier said; the carrier's wording is kept but never shown."""

from portal.pages.facts import ScanFacts
from portal.pages.speech import N_, _

DETAILS = {
    "address_correction": N_("The address needs correcting"),
    "arrived_at_destination": N_("Arrived at the depot near you"),
    "arrived_at_facility": N_("Arrived at a depot"),
    "arrived_at_pickup_location": N_("Ready for pickup"),
    "awaiting_information": N_("Waiting for information"),
    "customs": N_("Customs is looking at it"),
    "damaged": N_("Reported as damaged"),
    "delayed": N_("Delayed on the way"),
    "delivery_exception": N_("Could not be delivered"),
    "departed_facility": N_("Left the depot"),
    "departed_origin_facility": N_("Left the first depot"),
    "held": N_("Held at a depot"),
    "label_created": N_("Packed and ready for %(carrier)s"),
    "lost": N_("Reported as lost"),
    "missorted": N_("Went to the wrong depot and is sent on"),
    "out_for_delivery": N_("Out for delivery"),
    "received_at_destination_facility": N_("Arrived at the depot near you"),
    "received_at_origin_facility": N_("Arrived at the first depot"),
    "refused": N_("Turned away at the door"),
    "return": N_("Turned back to us"),
    "transferred_to_destination_carrier": N_("Handed to the local carrier"),
    "transit_exception": N_("Held up on the way"),
    "weather_delay": N_("Held up by weather"),
}
STATUSES = {
    "pre_transit": N_("Packed and ready for %(carrier)s"),
    "in_transit": N_("On its way"),
    "out_for_delivery": N_("Out for delivery"),
    "available_for_pickup": N_("Ready for pickup"),
    "attempt_failed": N_("Delivery tried, nobody could take it"),
    "delivered": N_("Delivered"),
    "exception": N_("Held up on the way"),
    "return_to_sender": N_("Turned back to us"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Tracking ended"),
}
FINAL = {"delivered", "attempt_failed", "return_to_sender", "cancelled", "expired"}


def scan_words(scan: ScanFacts, carrier: str, is_first_move: bool = False) -> str:
    """One plain sentence for `scan`; `is_first_move` marks the scan that took the parcel over."""
    carrier = carrier or _("the carrier")
    if is_first_move and scan.detail not in DETAILS:
        return _("Handed to %(carrier)s", carrier=carrier)
    text = None if scan.status in FINAL else DETAILS.get(scan.detail or "")
    text = text or STATUSES.get(scan.status)
    return _(text or "Update from %(carrier)s", carrier=carrier)


def other_update() -> str:
    """The sentence for a word we do not know; here so that translators see it."""
    return N_("Update from %(carrier)s")
