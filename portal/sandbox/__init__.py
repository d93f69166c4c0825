"""Stand-ins for outside services over HTTP on loopback, for the demo and the tests.

EasyPost so far: point the real client at `http://127.0.0.1:PORT/v2`. It keeps its state in memory
and forgets it when it stops; whoever needs a parcel again registers it again.

- /v2/...      EasyPost's own surface, strict: what is unknown or of a wrong type is refused
- /files/...   label files
- /_sandbox/   the door behind it: parcels and their stories, faults, the log; see admin.py

Only registered parcels and EasyPost's test numbers have scans; any other number stays unknown.
"""

from flask import Flask

from portal.sandbox import admin, easypost, easypost_shipments, misbehaving
from portal.sandbox.account import Account, Clock
from portal.sandbox.delivery import RETRIES, Courier
from portal.sandbox.server import BadWire, Box, running, serve

__all__ = ["Box", "Clock", "create_sandbox", "running", "serve"]

LARGEST_REQUEST = 1024 * 1024


def create_sandbox(
    *,
    api_key: str | None = None,
    webhook_secret: str | None = None,
    clock: Clock,
    retries: tuple[float, ...] = RETRIES,
) -> Flask:
    """The stand-in as a Flask application of its own.

    `api_key` None takes any key, but none at all is refused. `webhook_secret` signs for webhooks
    that were registered without a secret. `clock` gives aware moments. `retries` are the seconds
    between attempts to deliver a webhook. Stories are told and webhooks sent while it is served
    (`serve`, `running`).
    """
    app = Flask("sandbox", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    account = Account(clock, api_key, webhook_secret)
    courier = Courier(account, retries)
    account.announce = courier.announce
    app.extensions.update(account=account, courier=courier)
    misbehaving.watch(app)
    for part in (easypost, easypost_shipments, admin):
        app.register_blueprint(part.bp)
    app.wsgi_app = BadWire(app.wsgi_app)  # type: ignore[method-assign]
    return app
