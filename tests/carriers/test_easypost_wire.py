"""Every way the wire can fail ends in exactly one of our errors, after exactly one request."""

import gzip
import json
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from carriers.contract import (
    AuthBroken,
    BadPayload,
    CarrierError,
    NotFound,
    RateLimited,
    Rejected,
    Transient,
)
from carriers.easypost import EasyPost
from carriers.easypost_wire import LARGEST_ANSWER

KEY = "EZTKnotarealkey123"
ID = "trk_" + "0" * 32
TRACKER = {"id": ID, "object": "Tracker", "tracking_code": "EZ1000000001", "status": "unknown"}


def error(code: str, message: Any = "No.", errors: Any = ()) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "errors": list(errors)}}


def says(status: int, value: Any, **headers: str) -> Callable:
    return lambda handler: handler.send_object(status, value, **headers)


def sends(status: int, body: bytes, **headers: str) -> Callable:
    return lambda handler: handler.send(status, body, **headers)


def truncated(handler: Any) -> None:
    handler.send(200, b'{"id": "trk_', Content_Length="5000")
    handler.hang_up()


def slow(handler: Any) -> None:
    time.sleep(0.7)


def dripping(handler: Any) -> None:
    handler.send(200, b"{", Content_Length="100000")
    for _ in range(40):
        time.sleep(0.05)
        handler.wfile.write(b" ")
        handler.wfile.flush()


HTML = b"<html><body>Bad gateway</body></html>"
HUGE = b'{"id": "' + b"x" * LARGEST_ANSWER + b'"}'

FAILURES: dict[str, tuple[Callable, type[CarrierError]]] = {
    "400": (says(400, error("BAD_REQUEST")), Rejected),
    "401": (says(401, error("APIKEY.INVALID")), AuthBroken),
    "402": (says(402, error("PAYMENT_REQUIRED")), Rejected),
    "403": (says(403, error("APIKEY.INACTIVE")), AuthBroken),
    "404": (says(404, error("NOT_FOUND")), NotFound),
    "404 html": (sends(404, HTML), BadPayload),
    "405": (says(405, error("METHOD_NOT_ALLOWED")), Rejected),
    "408": (says(408, error("TIMEOUT")), Transient),
    "409": (says(409, error("CONFLICT")), Transient),
    "422": (says(422, error("TRACKER.CREATE.ERROR")), Rejected),
    "422 words": (says(422, {"error": "text"}), Rejected),
    "422 list": (says(422, [1]), BadPayload),
    "429": (says(429, error("RATE_LIMITED")), RateLimited),
    "429 html": (sends(429, HTML), RateLimited),
    "500": (says(500, error("INTERNAL")), Transient),
    "500 words": (says(500, {"error": "text"}), Transient),
    "502 html": (sends(502, HTML, Content_Type="text/html"), Transient),
    "503": (says(503, error("UNAVAILABLE")), Transient),
    "504": (says(504, error("GATEWAY")), Transient),
    "200 html": (sends(200, HTML, Content_Type="text/html"), BadPayload),
    "200 empty": (sends(200, b""), BadPayload),
    "200 null": (sends(200, b"null"), BadPayload),
    "200 list": (sends(200, b"[]"), BadPayload),
    "200 object of nothing": (sends(200, b"{}"), BadPayload),
    "200 error": (says(200, error("NOT_ALLOWED")), Rejected),
    "200 whole number as id": (says(200, TRACKER | {"id": 7}), BadPayload),
    "200 nan": (sends(200, b'{"id": "trk_1", "tracking_code": "1", "weight": NaN}'), BadPayload),
    "200 not utf-8": (sends(200, b'{"id": "\xff"}'), BadPayload),
    "200 deep": (sends(200, b'{"a":' * 5000 + b"1" + b"}" * 5000), BadPayload),
    "200 huge": (sends(200, HUGE), BadPayload),
    "200 bomb": (sends(200, gzip.compress(HUGE * 8), Content_Encoding="gzip"), BadPayload),
    "200 no gzip": (sends(200, b"no gzip", Content_Encoding="gzip"), Transient),
    "204": (sends(204, b""), BadPayload),
    "301": (sends(301, b"", Location="http://127.0.0.1:9/"), BadPayload),
    "302 json": (says(302, error("MOVED"), Location="/v2/elsewhere"), BadPayload),
    "307": (sends(307, b"", Location="/v2/elsewhere"), BadPayload),
    "reset": (lambda handler: handler.reset(), Transient),
    "hung up": (lambda handler: handler.hang_up(), Transient),
    "truncated": (truncated, Transient),
    "slow": (slow, Transient),
    "dripping": (dripping, Transient),
}


@pytest.mark.parametrize("act", ["read", "open"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_one_request_and_one_error(server: Any, failure: str, act: str) -> None:
    server.script, kind = FAILURES[failure]
    client = EasyPost(KEY, server.base, timeout=(0.5, 0.3), deadline=0.5)
    began = time.monotonic()
    with pytest.raises(CarrierError) as caught:
        client.read_tracker(ID) if act == "read" else client.open_tracker("USPS", "EZ1000000001")
    assert type(caught.value) is kind
    assert len(server.asked) == 1
    assert time.monotonic() - began < 5
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert str(caught.value)


def test_a_refused_connection_is_transient(server: Any) -> None:
    base = server.base
    server.server_close()
    with pytest.raises(Transient):
        EasyPost(KEY, base, timeout=(0.3, 0.3)).read_tracker(ID)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0"}, 0.0),
        ({"Retry_After": "-5"}, 0.0),
        ({"Retry_After": "99999999"}, 86_400.0),
        ({"Retry_After": "nan"}, None),
        ({"Retry_After": "soon"}, None),
        ({}, None),
        ({"Retry_After": "Thu, 01 Jan 2099 00:00:00 GMT"}, 86_400.0),
    ],
)
@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (503, Transient)])
def test_retry_after_is_told_and_never_slept(
    server: Any, status: int, kind: type, headers: dict[str, str], seconds: float | None
) -> None:
    server.script = says(status, error("LATER"), **headers)
    with pytest.raises(kind) as caught:
        EasyPost(KEY, server.base, timeout=(0.5, 0.5)).read_tracker(ID)
    assert caught.value.retry_after == seconds
    assert len(server.asked) == 1


def test_a_refusal_tells_code_and_fields_but_not_the_key(server: Any) -> None:
    fields = [{"field": "tracking_code", "message": f"is odd {KEY}"}, "and a plain one", 5]
    server.script = says(422, error("PARAMETER.INVALID", f"Key {KEY}\nis odd", fields))
    with pytest.raises(Rejected) as caught:
        EasyPost(KEY, server.base).open_tracker(None, "1")
    assert caught.value.code == "PARAMETER.INVALID"
    assert caught.value.field_errors == (
        ("tracking_code", "is odd …"),
        ("", "and a plain one"),
        ("", "5"),
    )
    assert str(caught.value) == "EasyPost refused: Key … is odd"


@pytest.mark.parametrize("wrong", ["", "../users/x?y=1", ID + "\n", ID.upper(), "trk_", ID + "0"])
def test_an_id_that_is_none_is_not_sent(server: Any, wrong: str) -> None:
    with pytest.raises(Rejected):
        EasyPost(KEY, server.base).read_tracker(wrong)
    assert server.asked == []


def test_an_answer_about_another_parcel_is_not_used(server: Any) -> None:
    server.script = says(200, TRACKER | {"id": "trk_" + "1" * 32})
    with pytest.raises(BadPayload, match="another parcel"):
        EasyPost(KEY, server.base).read_tracker(ID)


def test_more_than_a_hundred_are_not_sent(server: Any) -> None:
    client = EasyPost(KEY, server.base)
    assert client.open_trackers([]) == []
    with pytest.raises(Rejected):
        client.open_trackers(["1"] * 101)
    assert server.asked == []


def test_the_requests_are_what_easypost_expects(server: Any) -> None:
    server.script = says(200, {"trackers": [TRACKER], "webhooks": []} | TRACKER)
    client = EasyPost(KEY, server.base + "/")
    client.open_tracker("USPS", "EZ1000000001")
    client.open_tracker(None, "EZ1000000001")
    client.open_trackers(["EZ1000000001"])
    client.read_tracker(ID)
    client.find("EZ1000000001", "USPS")
    client.webhooks()
    asked = [(method, path, json.loads(body or b"null")) for method, path, _, body in server.asked]
    code = {"tracking_code": "EZ1000000001"}
    assert asked == [
        ("POST", "/v2/trackers", {"tracker": code | {"carrier": "USPS"}}),
        ("POST", "/v2/trackers", {"tracker": code}),
        ("POST", "/v2/trackers/batch", {"tracking_codes": ["EZ1000000001"]}),
        ("GET", f"/v2/trackers/{ID}", None),
        (
            "GET",
            "/v2/trackers?tracking_codes%5B%5D=EZ1000000001&page_size=100&carrier=USPS",
            None,
        ),
        ("GET", "/v2/webhooks", None),
    ]
    assert all(headers["Authorization"] == f"Bearer {KEY}" for _, _, headers, _ in server.asked)


def test_a_disabled_hook_is_seen(server: Any) -> None:
    row = {"id": "hook_1", "url": "https://shop.example/hooks/easypost/fern", "mode": "production"}
    server.script = says(
        200,
        {"webhooks": [row | {"disabled_at": None}, row | {"disabled_at": "2026-11-01T00:00:00Z"}]},
    )
    assert [bool(hook.disabled_at) for hook in EasyPost(KEY, server.base).webhooks()] == [
        False,
        True,
    ]


def test_threads_share_a_client_without_mixing_answers(server: Any) -> None:
    def script(handler: Any) -> None:
        number = handler.path.rsplit("/", 1)[1]
        if int(number[4:], 16) % 5 == 0:
            handler.send_object(429, error("LATER"), Retry_After=str(int(number[4:], 16)))
        else:
            handler.send_object(200, TRACKER | {"id": number})

    server.script = script
    client = EasyPost(KEY, server.base)

    def ask(n: int) -> bool:
        try:
            return client.read_tracker(f"trk_{n:032x}").provider_id == f"trk_{n:032x}"
        except RateLimited as limited:
            return limited.retry_after == n

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(200)))


@pytest.mark.parametrize("key", ["", " ", "EZ TK", "EZTK\n", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="EasyPost API key") as caught:
        EasyPost(key)
    assert len(key) < 2 or key not in str(caught.value)


@pytest.mark.parametrize("base", ["http://api.easypost.com/v2", "ftp://x/v2", "api.easypost.com"])
def test_a_key_goes_out_over_https_only(base: str) -> None:
    with pytest.raises(ValueError, match="https"):
        EasyPost(KEY, base)
