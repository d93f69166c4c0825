"""Stand-ins for outside services over HTTP on loopback, for the demo and the tests.

Point the real clients at it: EasyPost's at `http://127.0.0.1:PORT/v2`, Stripe's at
`http://127.0.0.1:PORT/stripe`. It keeps its state in memory and forgets it when it stops; whoever
needs a parcel again registers it again.

- /v2/...             EasyPost's own surface; what is unknown or of a wrong type is refused
- /files/...          label files
- /stripe/v1/...      Stripe's own surface; parameters are those of the installed `stripe` package
- /stripe/pay/...     the hosted pages of checkout; test cards only
- /_sandbox/          the door behind it: parcels and their stories, faults, the log; see admin.py
- /_sandbox/stripe/   what banks, people and time do to payments; see stripe_door.py

Only registered parcels and EasyPost's test numbers have scans; any other number stays unknown.
"""

from flask import Flask

from portal.sandbox import (
    admin,
    easypost,
    easypost_claims,
    easypost_shipments,
    misbehaving,
    stripe,
    stripe_door,
    stripe_files,
    stripe_page,
    stripe_people,
    stripe_selling,
)
from portal.sandbox.account import Account, Clock
from portal.sandbox.delivery import RETRIES, Courier
from portal.sandbox.server import BadWire, Box, running, serve
from portal.sandbox.stripe_account import Till
from portal.sandbox.trackers import tell_due

__all__ = ["Box", "Clock", "create_sandbox", "running", "serve"]

LARGEST_REQUEST = 16 * 1024 * 1024  # claims and disputes come with files
EASYPOST = (easypost, easypost_shipments, easypost_claims, admin)
STRIPE = (stripe, stripe_people, stripe_selling, stripe_files, stripe_page, stripe_door)


def create_sandbox(
    *,
    api_key: str | None = None,
    webhook_secret: str | None = None,
    stripe_key: str | None = None,
    stripe_webhook_secret: str | None = None,
    clock: Clock,
    retries: tuple[float, ...] = RETRIES,
) -> Flask:
    """The stand-in as a Flask application of its own.

    `api_key` None takes any key, but none at all is refused. `webhook_secret` signs for webhooks
    that were registered without a secret. `stripe_key` likewise; `stripe_webhook_secret` becomes
    the secret of every webhook endpoint of Stripe's, which makes its own otherwise. `clock` gives
    aware moments. `retries` are the seconds between attempts to deliver a webhook. Stories are told
    and webhooks sent while it is served (`serve`, `running`).
    """
    app = Flask("sandbox", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    account = Account(clock, api_key, webhook_secret)
    courier = Courier(account, retries)
    account.announce = courier.announce
    till = Till(account, stripe_key, stripe_webhook_secret)
    account.beats = [
        lambda: tell_due(account),
        lambda: easypost_claims.decide_due(account),
        till.tell_due,
    ]
    app.extensions.update(account=account, courier=courier, till=till)
    misbehaving.watch(app)
    for part in (*EASYPOST, *STRIPE):
        app.register_blueprint(part.bp)
    app.wsgi_app = BadWire(app.wsgi_app)  # type: ignore[method-assign]
    return app
