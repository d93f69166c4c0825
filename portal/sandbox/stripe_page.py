"""The hosted pages: where a person, or a test in a browser, pays, saves a card, or walks away."""

from flask import Blueprint, Response, make_response, redirect, render_template_string, request

from portal.sandbox import stripe_paying as paying
from portal.sandbox.refusals import Json
from portal.sandbox.stripe_cards import CARDS
from portal.sandbox.stripe_desk import pages, till
from portal.sandbox.stripe_refusals import StripeRefusal
from portal.sandbox.stripe_sessions import PLACE

bp = Blueprint("stripe_pages", __name__, url_prefix="/stripe")

FRAME = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} (rehearsal)</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 28rem; margin: 2rem auto; padding: 0 1rem }
button, select, input { font: inherit; padding: .5rem; width: 100%; margin: .25rem 0 1rem }
[role=alert] { border-left: .25rem solid #b00020; padding-left: .75rem }
</style><main><h1>{{ title }}</h1><p>This is a rehearsal. No card is charged.</p>"""
PAY = (
    FRAME
    + """
{% if problem %}<p role="alert">{{ problem }}</p>{% endif %}
<ul>{% for line in lines %}<li>{{ line.quantity }} × {{ line.description }}:
{{ line.amount_total }} {{ line.currency }}{% endfor %}</ul>
<form method="post"><label>E-mail
<input name="email" type="email" autocomplete="off" value="{{ email or '' }}"></label>
<label>Test card <select name="means">{% for name in means %}
<option value="{{ name }}">{{ name }}</option>{% endfor %}</select></label>
<button name="act" value="pay">{{ 'Save the card' if setup else 'Pay' }}</button>
{% if cancel_url %}<button name="act" value="leave" formnovalidate>Go back</button>{% endif %}
</form></main></html>"""
)
ASK = (
    FRAME
    + """<p>Your bank asks whether this is you.</p><form method="post">
<button name="act" value="agree">Yes, go on</button>
<button name="act" value="refuse">No</button></form></main></html>"""
)
OVER = FRAME + """<p role="alert">{{ problem }}</p></main></html>"""


@bp.get("/pay/<id>")
def show(id: str) -> Response:
    """The page of a session that is open."""
    return _page(till().one("checkout.session", id), "")


@bp.post("/pay/<id>")
def submit(id: str) -> Response:
    """`act` is pay or leave, `means` a test card; 303 to where the shop said."""
    session = till().one("checkout.session", id)
    if request.form.get("act") == "leave" and session["cancel_url"]:
        return _to(session["cancel_url"])
    means = request.form.get("means", "pm_card_visa")
    if means not in CARDS and means != paying.LATER:
        return _page(session, "There is no such test card.", 400)
    try:
        thing = paying.attempt(till(), session, means, request.form.get("email", ""), pages())
    except StripeRefusal as refusal:
        return _page(session, refusal.message, refusal.status)
    if thing["status"] == "requires_action":
        return _to(thing["next_action"]["redirect_to_url"]["url"])
    paying.finish(till(), session, thing)
    return _to(_back(session))


@bp.get("/authenticate/<id>")
def ask(id: str) -> Response:
    """The bank's question."""
    thing = _thing(id)
    if thing["status"] != "requires_action":
        return _over("Nobody asks any more.")
    return make_response(render_template_string(ASK, title="Your bank"))


@bp.post("/authenticate/<id>")
def answer(id: str) -> Response:
    """The owner's answer; 303 back to the shop, or to the page where it is tried again."""
    thing = _thing(id)
    if thing["status"] != "requires_action":
        return _over("Nobody asks any more.")
    back = thing["next_action"]["redirect_to_url"]["return_url"]
    agreed = request.form.get("act") == "agree"
    paying.answered(till(), thing, agreed=agreed)
    sessions = till().newest("checkout.session", **{thing["object"]: thing["id"]})
    if sessions:
        session = sessions[0]
        return _to(_back(session) if agreed else session["url"])
    return _to(back) if back else _over("You can close this page.", 200)


def _thing(id: str) -> Json:
    return till().one("setup_intent" if id.startswith("seti_") else "payment_intent", id)


def _back(session: Json) -> str:
    return str(session["success_url"]).replace(PLACE, session["id"])


def _page(session: Json, problem: str, status: int = 200) -> Response:
    if session["status"] != "open":
        return _over(f"This page is closed: the session is {session['status']}.")
    setup = session["mode"] == "setup"
    body = render_template_string(
        PAY,
        title="Save your card" if setup else "Checkout",
        setup=setup,
        problem=problem,
        lines=till().lines[session["id"]],
        email=session["customer_email"],
        means=[*CARDS, *([] if setup else [paying.LATER])],
        cancel_url=session["cancel_url"],
    )
    return make_response(body, status)


def _over(problem: str, status: int = 410) -> Response:
    body = render_template_string(OVER, title="Checkout", problem=problem)
    return make_response(body, status)


def _to(url: str) -> Response:
    answer = redirect(url, 303)
    return make_response(answer)
