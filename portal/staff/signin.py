"""Sign-in on flask-security: its forms, hashes and sessions, with our limits and our look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from flask import Flask, request
from flask_security import Security, SQLAlchemyUserDatastore, user_authenticated
from flask_security.utils import hash_password

from portal import clock, limits
from portal.db import db, writing
from portal.keys import derive
from portal.models.staff import Role, Staff
from portal.pages.entry import browser

SIGN_IN = limits.Limit("staff sign-in", 10, timedelta(days=1), limits.GROWING)
SIGN_IN_CLIENT = limits.Limit("staff sign-in client", 30, timedelta(minutes=10))
LEAST_PASSWORD = 12


def init_signin(app: Flask) -> None:
    """Serve /staff/sign-in and /staff/sign-out."""
    secret = app.extensions["porchlight"].secret_key
    app.config |= {
        "SECURITY_BLUEPRINT_NAME": "signin",
        "SECURITY_URL_PREFIX": "/staff",
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_POST_LOGIN_VIEW": "/staff/queue",
        "SECURITY_POST_LOGOUT_VIEW": "/staff/sign-in",
        "SECURITY_LOGIN_USER_TEMPLATE": "staff/sign_in.html",
        "SECURITY_VERIFY_TEMPLATE": "staff/verify.html",
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        "SECURITY_PASSWORD_SALT": "argon2 salts by itself",
        # OWASP: 19 MiB, two passes, one lane.
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
            "argon2__memory_cost": 19456,
            "argon2__rounds": 2,
            "argon2__parallelism": 1,
        },
        "SECURITY_PASSWORD_LENGTH_MIN": LEAST_PASSWORD,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,  # no telling whether an address is known
        "SECURITY_DEFAULT_REMEMBER_ME": False,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "test_environment": True},
        "SECURITY_FLASH_MESSAGES": False,
        "SECURITY_JOIN_USER_ROLES": False,  # a role is a column
        "SECURITY_CSRF_COOKIE_NAME": None,
        "WTF_CSRF_ENABLED": False,  # every form carries ours, and security.check_csrf asks for it
    }
    app.config.setdefault("SECRET_KEY", derive("sign-in", secret).hex() if secret else "unset")
    store = SQLAlchemyUserDatastore(db, Staff, Role)
    security = Security(app, store)
    _only_where_asked(app, security)
    app.before_request(_count_try)
    user_authenticated.connect(_rotate, app)


def set_password(staff: Staff, name: str, typed: str) -> None:
    """Accept an invitation with this password. Call it inside `writing()`."""
    staff.accept(name, hash_password(typed))


def _only_where_asked(app: Flask, security: Security) -> None:
    """Take out what would look for a signed-in person on every page of every customer.

    flask-principal asks before each request, flask-login before each template and, for a cookie
    that nobody is given, in the session after each.
    """
    before = app.before_request_funcs.setdefault(None, [])
    before.remove(security.principal._on_before_request)
    after = app.after_request_funcs.setdefault(None, [])
    after.remove(app.login_manager._update_remember_cookie)  # type: ignore[attr-defined]
    told = app.template_context_processors[None]
    told[:] = [each for each in told if each.__module__.partition(".")[0] in {"portal", "flask"}]


def _count_try() -> None:
    """Tries for one address and from one place are limited; who waits gets a 429."""
    if request.endpoint != "signin.login" or request.method != "POST":
        return
    now = clock.now()
    typed = request.form.get("email", "")[:254].strip().lower()
    with writing():
        limits.take(SIGN_IN_CLIENT, limits.client(), now)
        if typed:
            limits.take(SIGN_IN, typed, now)


def _rotate(_app: Flask, user: Any, **_more: object) -> None:
    """A browser that signed in gets a new session id, and its tries are forgotten."""
    browser().rotate()
    with writing():
        limits.give_back(SIGN_IN, cast(Staff, user).email)
