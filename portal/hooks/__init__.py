"""What others push to us."""

from flask import Blueprint

from portal.hooks import easypost, stripe

bp = Blueprint("hooks", __name__, url_prefix="/hooks")
bp.add_url_rule("/easypost/<slug>", "easypost", easypost.receive, methods=["POST"])
bp.add_url_rule("/stripe/<slug>", "stripe", stripe.receive, methods=["POST"])
