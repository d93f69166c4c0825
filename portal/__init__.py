"""Porchlight: the site. `create_app` puts it together, in reading order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from portal import api, demo, errors, format, health, hooks, logs, pages, security
from portal.compress import init_compress
from portal.config import SERVING, Settings, checkout_origins, read_settings
from portal.db import init_db
from portal.live import init_live
from portal.pages.brand import init_brand
from portal.sessions import RowSessions
from portal.staff import init_staff


class Site(Flask):
    """Flask without coroutines: what each hook is need not be asked again for every request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Every view and hook here is a plain function."""
        return func


def create_app(settings: Settings | None = None, *, as_demo: bool = False) -> Flask:
    """The whole site as a WSGI app; `as_demo` adds what only a rehearsal has.

    `settings` default to the environment's, with all that serving needs.
    Raises portal.config.SettingsError naming what is wrong.
    """
    app = Site(__name__)
    settings = settings or read_settings(need=SERVING)
    app.extensions["porchlight"] = settings
    app.config |= {
        "WITHOUT_SHOP": {"health.alive", "health.ready", "health.metrics"},
        "CSRF_EXEMPT": {"api", "hooks", "unsubscribe"},
        "CHECKOUT_ORIGINS": checkout_origins(settings) if as_demo else [],
        "SEND_FILE_MAX_AGE_DEFAULT": 31536000,  # their URLs carry a hash of the content
        "DEMO": as_demo,
    }
    app.session_interface = RowSessions()
    init_db(app, settings)
    logs.init_logs(app)
    security.init_security(app)
    format.init_format(app)
    init_brand(app)
    security.init_forms(app)
    errors.init_errors(app)
    init_compress(app)
    init_live(app)
    app.register_blueprint(health.bp)
    app.register_blueprint(api.bp)
    app.register_blueprint(hooks.bp)
    for blueprint in pages.blueprints:
        app.register_blueprint(blueprint)
    init_staff(app)
    if as_demo:
        demo.init_demo(app)
    return app
