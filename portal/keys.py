"""What secrets are made of: derived keys, sealed values, tokens and their digests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app

from portal.config import REMEDIES, Settings, SettingsError

TOKEN_BYTES = 18  # 144 random bits, 24 characters


class Unsealable(Exception):
    """A sealed value was made with a key this house no longer has."""


def settings() -> Settings:
    """The settings of the running app."""
    found: Settings = current_app.extensions["porchlight"]
    return found


def derive(purpose: str, secret: str) -> bytes:
    """A key of 32 bytes for one purpose, so that no signature is valid for another."""
    return hmac.new(secret.encode(), f"porchlight:{purpose}".encode(), hashlib.sha256).digest()


def secrets_in_force() -> tuple[str, ...]:
    """The secret keys that are honoured, the current one first."""
    return (settings().secret_key, *settings().secret_key_fallbacks)


def has_key() -> bool:
    """Whether this process can sign and seal: commands may run without SECRET_KEY."""
    return bool(settings().secret_key)


def sign(purpose: str, message: str) -> str:
    """A keyed digest of `message` (43 characters) under the current key.

    Raises SettingsError where SECRET_KEY is not set.
    """
    return _digest(derive(purpose, _own_secret()), message)


def is_signed(purpose: str, message: str, signature: str) -> bool:
    """Whether `signature` was made by `sign` with the current key or an earlier one."""
    given = signature.encode("utf-8", "surrogatepass")
    return any(
        hmac.compare_digest(_digest(derive(purpose, secret), message).encode(), given)
        for secret in secrets_in_force()
        if secret
    )


def _own_secret() -> str:
    if not has_key():
        raise SettingsError([f"SECRET_KEY is not set. {REMEDIES['SECRET_KEY']}"])
    return settings().secret_key


def _digest(key: bytes, message: str) -> str:
    digest = hmac.new(key, message.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def new_token() -> str:
    """A random token for a link: 24 URL-safe characters, 144 bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """SHA-256 of a token in hexadecimal: all that a database needs to recognise it.

    Unkeyed on purpose: tokens are random, so that their digests cannot be searched.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def seal(value: str) -> str:
    """Encrypt a value that must be shown again later. Raises SettingsError without SECRET_KEY."""
    _own_secret()
    return _box(secrets_in_force()).encrypt(value.encode()).decode()


def unseal(sealed: str) -> str:
    """The value that `seal` encrypted. Raises Unsealable when no key in force opens it."""
    try:
        return _box(secrets_in_force()).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unsealable("The value was sealed with a key that is no longer set.") from error


@lru_cache(maxsize=8)  # making it costs as much as sealing with it
def _box(in_force: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derive("seal", s))) for s in in_force])
