"""Derived keys, sealed values and digests; and that a key can be rotated."""

from __future__ import annotations

import pytest
from flask import Flask

from portal import create_app
from portal.keys import Unsealable, digest, is_signed, new_token, seal, sign, unseal
from tests.conftest import SECRET, settings_for

NEXT = "the-next-secret-0123456789abcdefghijkl"


def house(url: str, secret: str, fallbacks: str = "") -> Flask:
    more = {"SECRET_KEY": secret} | ({"SECRET_KEY_FALLBACKS": fallbacks} if fallbacks else {})
    return create_app(settings_for(url, **more))


def test_what_was_sealed_and_signed_survives_a_new_key(sqlite_url: str) -> None:
    with house(sqlite_url, SECRET).app_context():
        sealed, signed = seal("wert ü"), sign("form", "1:abc")
    with house(sqlite_url, NEXT, SECRET).app_context():
        assert unseal(sealed) == "wert ü"
        assert is_signed("form", "1:abc", signed)
        assert sign("form", "1:abc") != signed
    with house(sqlite_url, NEXT).app_context():
        assert not is_signed("form", "1:abc", signed)
        with pytest.raises(Unsealable):
            unseal(sealed)


def test_a_signature_serves_one_purpose_and_one_message(app: Flask) -> None:
    signed = sign("form", "a")
    assert is_signed("form", "a", signed)
    for purpose, message, given in [
        ("link", "a", signed),
        ("form", "b", signed),
        ("form", "a", ""),
        ("form", "a", "\ud800ü"),
    ]:
        assert not is_signed(purpose, message, given)


def test_tokens_are_long_random_and_not_alike() -> None:
    tokens = {new_token() for _ in range(10_000)}
    assert len(tokens) == 10_000
    assert {len(token) for token in tokens} == {24}
    for place in range(24):
        assert len({token[place] for token in tokens}) == 64


def test_a_digest_takes_any_text() -> None:
    assert digest("\ud800") != digest("x")
    assert len(digest("x")) == 64
