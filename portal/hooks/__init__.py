"""What others push to us."""

from flask import Blueprint

bp = Blueprint("hooks", __name__, url_prefix="/hooks")
