"""Every way a call can fail ends in one PaymentError, and says whether it may have happened."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.payments.contract import Kind
from portal.payments.stripe import Stripe
from tests.payments.test_stripe_refunds import failed
from tests.sandbox.conftest import STRIPE_KEY, wait_until
from tests.sandbox.stripe_shop import pay

UNKNOWN, BUSY, REFUSED = Kind.OUTCOME_UNKNOWN, Kind.BUSY, Kind.REFUSED
KEPT = {"error_500", "error_text", "error_null"}  # which Stripe answers with for a day
NEVER_DONE = KEPT | {"rate_limited", "error_503", "html_502", "reset"}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limited", BUSY),
        ("error_500", UNKNOWN),
        ("error_503", UNKNOWN),
        ("error_text", UNKNOWN),
        ("error_null", UNKNOWN),
        ("html_502", UNKNOWN),
        ("html_200", UNKNOWN),
        ("reset", UNKNOWN),
        ("truncated", UNKNOWN),
        ("slow", UNKNOWN),
        ("commit_then_drop", UNKNOWN),
        ("commit_then_500", UNKNOWN),
        ("empty", UNKNOWN),
        ("null", UNKNOWN),
        ("list", UNKNOWN),
        ("wrong_types", UNKNOWN),
    ],
)
def test_a_refund_that_fails_says_what_is_known(shop, till, door, fault, kind):
    paid = pay(till)
    door.fault(fault, route="POST /stripe/v1/refunds", seconds=2.5)
    error = failed(shop.refund, paid.id, 300, "EUR", "refund:1")
    assert error.kind is kind
    if fault == "slow":
        wait_until(lambda: shop.find_refund(paid.id, "refund:1") is not None)
    made = shop.find_refund(paid.id, "refund:1")
    assert (made is None) == (fault in NEVER_DONE)
    assert door.get("counts")["routes"]["POST /stripe/v1/refunds"] == 1, "it was sent again"
    if fault not in KEPT:
        assert shop.refund(paid.id, 300, "EUR", "refund:1").amount_minor == 300
    assert door.get("counts")["effects"].get("refund.created", 0) == (fault not in KEPT)


QUESTIONS = [
    *("rate_limited", "error_500", "error_text", "error_null", "html_502", "html_200", "reset"),
    *("truncated", "slow", "commit_then_drop", "empty", "null", "list", "wrong_types"),
]


@pytest.mark.parametrize("fault", QUESTIONS)
def test_a_question_that_fails_may_be_asked_again(shop, till, door, fault):
    paid = pay(till)
    door.fault(fault, method="GET", path_prefix="/stripe", seconds=2.5)
    assert failed(shop.read_payment, paid.id).kind is BUSY
    assert shop.read_payment(paid.id).captured_minor == 1000


def test_a_kept_failure_is_over_once_it_comes_a_second_time(shop, till, door):
    paid = pay(till)
    door.fault("error_500", route="POST /stripe/v1/refunds")
    assert not failed(shop.refund, paid.id, 300, "EUR", "refund:1").is_over
    again = failed(shop.refund, paid.id, 300, "EUR", "refund:1")
    assert (again.kind, again.is_over) == (UNKNOWN, True)
    assert shop.find_refund(paid.id, "refund:1") is None


def test_how_long_to_wait_is_passed_on(shop, till, door):
    paid = pay(till)
    door.fault("rate_limited", method="GET", path_prefix="/stripe", retry_after=7)
    assert failed(shop.read_payment, paid.id).retry_after == 7


def test_a_key_stripe_does_not_take_is_broken_and_not_shown(box, till):
    paid = pay(till)
    stranger = Stripe("sk_test_stranger", box.stripe_base)
    error = failed(stranger.refund, paid.id, 100, "EUR", "a")
    stranger.close()
    assert error.kind is Kind.KEY_BROKEN
    assert "stranger" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_nobody_there_changes_nothing(till, box):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        dead = Stripe(STRIPE_KEY, f"http://127.0.0.1:{held.getsockname()[1]}")
        assert failed(dead.read_payment, "pi_12345678").kind is BUSY
        assert failed(dead.release, "pi_12345678", "k").kind is BUSY
        dead.close()


@pytest.mark.parametrize(
    ("key", "base"),
    [("", "https://api.stripe.com"), ("sk a", "https://api.stripe.com"), ("sk_x", "http://x.y")],
)
def test_a_key_or_an_address_that_cannot_be_meant_is_refused_at_once(key, base):
    with pytest.raises(ValueError, match="Stripe"):
        Stripe(key, base)


def test_a_bad_idempotency_key_is_a_mistake_of_ours(shop):
    for key in ("", "ü", "a b", "k" * 201):
        with pytest.raises(ValueError, match="idempotency"):
            shop.refund("pi_12345678", 100, "EUR", key)


# --- answers no stand-in would give --------------------------------------------------------------


@pytest.fixture
def scripted() -> Iterator[tuple[Stripe, list[tuple[int, bytes]]]]:
    """A server that answers what the test says, and the adapter at it."""
    answers: list[tuple[int, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the name http.server calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    shop = Stripe(STRIPE_KEY, f"http://127.0.0.1:{server.server_port}")
    yield shop, answers
    shop.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "asked", "changed"),
    [
        (400, b'{"error": null}', BUSY, UNKNOWN),
        (400, b'{"error": "invalid_grant"}', BUSY, UNKNOWN),
        (400, b'{"error": {}}', BUSY, UNKNOWN),
        (400, b'{"error": {"message": "No. sk_test_rehearsal \\u0007"}}', REFUSED, REFUSED),
        (400, b'{"error": {"code": 7, "message": ["x"]}}', REFUSED, REFUSED),
        (400, b'{"error": {"type": "idempotency_error"}}', REFUSED, REFUSED),
        (403, b'{"error": {"message": "no"}}', Kind.KEY_BROKEN, Kind.KEY_BROKEN),
        (404, b'{"error": {"message": "no"}}', Kind.NOT_FOUND, Kind.NOT_FOUND),
        (409, b'{"error": {"code": "lock_timeout"}}', BUSY, BUSY),
        (402, b'{"error": {"code": "card_declined"}}', Kind.DECLINED, Kind.DECLINED),
        (302, b"", BUSY, UNKNOWN),
        (200, b"[]", BUSY, UNKNOWN),
        (200, b"null", BUSY, UNKNOWN),
        (200, b"{}", BUSY, UNKNOWN),
        (200, b'{"object": "payment_intent", "id": 7}', BUSY, UNKNOWN),
        (200, b'{"object": "payment_intent", "id": "pi_1", "amount": 1e999}', BUSY, UNKNOWN),
        (200, b'{"object": "charge", "id": "ch_1", "id": "ch_2"}', BUSY, UNKNOWN),
        (200, b"\xff\xfe", BUSY, UNKNOWN),
        (200, b"[" * 5000, BUSY, UNKNOWN),
        (200, b" " * (9 * 1024 * 1024), BUSY, UNKNOWN),
    ],
)
def test_an_odd_answer_is_one_of_our_errors(scripted, status, body, asked, changed):
    shop, answers = scripted
    answers.append((status, body))
    error = failed(shop.read_payment, "pi_12345678")
    assert (error.kind, "sk_test" in str(error)) == (asked, False)
    assert str(error).isprintable()
    assert failed(shop.release, "pi_12345678", "k").kind is changed


def test_what_is_missing_from_an_answer_is_named(scripted):
    shop, answers = scripted
    answers.append((200, b'{"object": "payment_intent", "id": "pi_1", "currency": "eur"}'))
    assert "amount_received is no whole number" in str(failed(shop.read_payment, "pi_12345678"))
