"""The rehearsal: two brands, parcels in every state, one moving now. Absent when serving."""

import os

from flask import Flask

from portal.demo import outbox, pages, shop
from portal.demo.rehearsal import SANDBOX


def init_demo(app: Flask) -> None:
    """Add the pages that only a rehearsal has, and where its stand-in listens, if one does."""
    app.config["SANDBOX"] = os.environ.get(SANDBOX, "")
    app.register_blueprint(pages.bp)
    app.register_blueprint(outbox.bp)
    app.register_blueprint(shop.bp)
