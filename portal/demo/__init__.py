"""The rehearsal: two brands, parcels in every state, one moving now. Absent when serving."""

from flask import Flask


def init_demo(app: Flask) -> None:
    """Add the pages that only a rehearsal has."""
