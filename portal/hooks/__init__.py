"""What others push to us."""

from flask import Blueprint

from portal.hooks.easypost import receive

bp = Blueprint("hooks", __name__, url_prefix="/hooks")
bp.add_url_rule("/easypost/<slug>", "easypost", receive, methods=["POST"])
