"""Who may do what at the desk: every route, every role, both shops, and nobody."""

from __future__ import annotations

from itertools import product

import pytest
from flask import Flask

from portal.db import inside, session
from portal.models import Settlement
from portal.models.staff import ROLES
from tests.conftest import shop_id
from tests.models.bought import ask, bought, shirts
from tests.models.bought import rma as rma_of
from tests.pages.browser import TOKEN, Browser
from tests.staff.policy_routes import POLICY, path_to
from tests.staff.test_signin import joined

ALL = frozenset(ROLES)
DESK = frozenset({"owner", "manager", "agent"})
OPEN = frozenset({"nobody", *ROLES})
BOOKS = frozenset({"owner", "manager", "reader"})
OWNER = frozenset({"owner"})
# Each route of the desk, with who may use it. A new route fails the first test until it is here.
MAY = {
    "GET /staff": OPEN,  # leads to the sign-in or the queue
    "GET /staff/sign-in": OPEN,
    "POST /staff/sign-in": OPEN,
    "POST /staff/sign-out": OPEN,
    "GET /staff/invitation/<token>": OPEN,
    "POST /staff/invitation/<token>": OPEN,
    "GET /staff/verify": OPEN,  # the sign-in's own
    "POST /staff/verify": OPEN,
    "GET /staff/fs-static/<path:filename>": OPEN,
    "GET /staff/queue": ALL,
    "POST /staff/queue/decisions": DESK,
    "POST /staff/queue/undo": DESK,
    "POST /staff/queue/seen": DESK,
    "GET /staff/queue/batches/<batch>": ALL,
    "POST /staff/queue/assignment": DESK | {"warehouse"},
    "POST /staff/queue/rest": DESK | {"warehouse"},
    "POST /staff/presence": DESK | {"warehouse"},
    "GET /staff/peek/<subject>": ALL,
    "POST /staff/views": ALL,
    "POST /staff/views/<view_id>/removal": ALL,
    "GET /staff/keys": ALL,
    "POST /staff/keys": ALL,
    "GET /staff/orders": ALL,
    "GET /staff/orders/<order_id>": ALL,
    "POST /staff/shipments/<shipment_id>/question": DESK,
    "POST /staff/shipments/<shipment_id>/correction": DESK,
    "GET /staff/receive": DESK | {"warehouse"},
    "GET /staff/receive/<rma_id>": DESK | {"warehouse"},
    "POST /staff/receive/<rma_id>": DESK | {"warehouse"},
    "GET /staff/returns/<rma_id>": ALL,
    "GET /staff/photos/<photo_id>": ALL,
    "POST /staff/returns/<rma_id>/approval": DESK,
    "POST /staff/returns/<rma_id>/rejection": DESK,
    "POST /staff/returns/<rma_id>/cancellation": DESK,
    "POST /staff/returns/<rma_id>/question": DESK,
    "POST /staff/returns/<rma_id>/label": DESK,
    "POST /staff/returns/<rma_id>/loss": DESK,
    "POST /staff/returns/<rma_id>/resolution": DESK,
    "GET /staff/claims/<claim_id>": ALL,
    "GET /staff/claims/<claim_id>/evidence.zip": DESK,
    "POST /staff/claims/<claim_id>/insurer": DESK,
    "GET /staff/disputes/<dispute_id>": ALL,
    "POST /staff/disputes/<dispute_id>/evidence": DESK,
    "GET /staff/disputes/<dispute_id>/evidence.zip": DESK,
    "POST /staff/claims/<claim_id>/approval": DESK,
    "POST /staff/claims/<claim_id>/rejection": DESK,
    "POST /staff/claims/<claim_id>/question": DESK,
    "POST /staff/claims/<claim_id>/payment": DESK,
    "POST /staff/claims/<claim_id>/recovery": DESK,
    "GET /staff/protection": BOOKS,
    "GET /staff/protection.csv": BOOKS,
    "GET /staff/protection/<what>": BOOKS,
    "GET /staff/protection/<what>.csv": BOOKS,
    "POST /staff/protection/record": frozenset({"owner", "manager"}),
    "GET /staff/audit": BOOKS,
    "GET /staff/audit.csv": BOOKS,
    "GET /staff/people": OWNER,
    "POST /staff/people": OWNER,
    "POST /staff/people/<int:staff_id>/role": OWNER,
    "POST /staff/people/<int:staff_id>/leave": OWNER,
    "POST /staff/people/<int:staff_id>/return": OWNER,
    "POST /staff/people/<int:staff_id>/sign-out": OWNER,
    "GET /staff/withdrawals/<withdrawal_id>": ALL,
    "POST /staff/withdrawals/<withdrawal_id>/order": DESK,
    "POST /staff/withdrawals/<withdrawal_id>/closing": DESK,
    "POST /staff/settlements/<settlement_id>/payment": DESK,
    "POST /staff/settlements/<settlement_id>/outcome": DESK,
    "POST /staff/instant/<instant_id>/payment": DESK,
    "POST /staff/returns/<rma_id>/receipt": DESK | {"warehouse"},
}
# Of whichever shop asks, with nothing of others.
OWN = {f"GET /staff/{own}" for own in ("queue", "keys", "orders", "receive")}
OWN |= {f"POST /staff/{own}" for own in ("keys", "views", "presence", "protection/record")}
OWN |= {f"GET /staff/protection{own}" for own in ("", ".csv", "/<what>", "/<what>.csv")}
OWN |= {f"GET /staff/{own}" for own in ("audit", "audit.csv", "people")} | {"POST /staff/people"}
OWN |= {f"POST /staff/queue/{own}" for own in ("decisions", "undo", "seen", "assignment", "rest")}
MAY |= POLICY
GUARDED = {route: may for route, may in MAY.items() if may is not OPEN}


def test_every_route_of_the_desk_is_declared(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/staff")]
    found = {
        f"{method} {rule.rule}"
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == set(MAY)


def tried(browser: Browser, route: str, rma_id: str) -> int:
    """The status of one try at `route`, with the form's token where there is one."""
    method, path = route.split(" ")
    path = (
        path.replace("<claim_id>", "clm_none")
        .replace("<dispute_id>", "dsp_none")
        .replace("<withdrawal_id>", "wdr_none")
        .replace("<rma_id>", rma_id)
        .replace("<photo_id>", "pho_none")
        .replace("<what>", "earned")
        .replace("<int:staff_id>", "999")
    )
    path = path_to(path)
    if method == "GET":
        return browser.get(path).status_code
    found = TOKEN.search(browser.get("/staff/keys", follow_redirects=True).text)
    assert found
    return browser.open(path, method, data={"csrf_token": found[1]}).status_code


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_is_declared_and_nothing_else(app: Flask, role: str) -> None:
    rma_id = ask(bought(), shirts(1, "other"))
    browser = joined(app, role=role)
    seen = {route: tried(browser, route, rma_id) for route in GUARDED}
    refused = {route for route, status in seen.items() if status == 403}
    assert refused == {route for route, may in GUARDED.items() if role not in may}
    assert not [route for route, status in seen.items() if status >= 500]


def test_nobody_and_the_neighbours_change_nothing(app: Flask) -> None:
    rma_id = ask(bought(), shirts(1, "other"))
    with inside(shop_id("fern")):
        version = rma_of(rma_id).version
        session.remove()
    nobody, neighbour = Browser(app), joined(app, "eve@volta.test", "owner", "volta")
    for browser, route in product((nobody, neighbour), GUARDED):
        status = tried(browser, route, rma_id)
        if route in POLICY and browser is neighbour:
            continue  # its own shop's
        if route in OWN and browser is neighbour:
            continue  # its own
        assert status in (302, 400, 401, 403, 404), f"{route}: {status}"
    with inside(shop_id("fern")):
        rma = rma_of(rma_id)
        assert (rma.status, rma.version) == ("requested", version)
        assert session.query(Settlement).count() == 0
