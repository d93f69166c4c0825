"""Forgetting a customer: nothing names the person any more, and every sum stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from carriers.contract import Scan, Status, Tracking
from portal import clock, create_app, label_files, pictures
from portal.db import Base, db, every_shop, inside, session, writing
from portal.models import (
    AuditEntry,
    Customer,
    Due,
    HookEvent,
    Message,
    Order,
    Photo,
    Shipment,
    Unit,
    Withdrawal,
)
from portal.models.claim_request import AskedClaim, request_claim
from portal.models.event import keep
from portal.models.label import labels_of
from portal.models.observe import observe
from portal.models.outbox import plan_code
from portal.models.preference import start
from portal.models.rma_facts import Asked
from portal.models.rma_request import order_for_return, request_return
from portal.sources.document import OrderDocument
from portal.sources.sentences import read_as
from portal.tenancy import shop_in_scope
from tests.cli.conftest import Run
from tests.conftest import settings_for, shop_id

CANARIES = {
    "email": "canary.ann@example.com",
    "phone": "+49 30 5550199",
    "name": "Canary Annabel",
    "line1": "Kanarienweg 17",
    "postcode": "10999X",
    "number": "1Z999AA10123456784",
    "signed": "SIGNEDBY CANARY",
    "friend": "canary.friend@example.com",
    "statement": "It itches CANARYWISE",
    "police": "CANARY/2026/77",
    "back": "1Z999AA1CANARYBACK",
}
PERSONAL = [*CANARIES.values(), "canary.ann"]


@pytest.fixture
def house(environ: dict[str, str]) -> Iterator[Flask]:
    same = {name: environ[name] for name in ("QUEUE_URL", "MEDIA_ROOT")}
    app = create_app(settings_for(environ["DATABASE_URL"], **same))
    with app.app_context():
        yield app
        session.remove()
        db.engine.dispose()


@pytest.fixture
def ann(house: Flask, fern: str) -> str:
    """A customer with an order, a parcel that was delivered, messages, a hook; and a neighbour."""
    now = clock.now()
    with inside(shop_id("fern")), writing():
        Order.upsert(document("2001", "bob@example.com", "1Z999AA10123456785"), now)
        order, _ = Order.upsert(document("2002", CANARIES["email"], CANARIES["number"]), now)
        start(order.id, CANARIES["friend"])
        plan_code(order, "123456", "lift", CANARIES["email"], now)
        [parcel_id] = session.scalars(select(Shipment.id).where(Shipment.order_id == order.id))
        parcel = Shipment.locked(parcel_id)
        assert parcel is not None
        scan = Scan(
            now - timedelta(minutes=1),
            Status.DELIVERED,
            message=f"Left with {CANARIES['name']}",
            city="Berlin",
            postcode=CANARIES["postcode"],
            raw={"street": CANARIES["line1"]},
        )
        said = Tracking(
            "trk_" + "0" * 32,
            "UPS",
            CANARIES["number"],
            Status.DELIVERED,
            scans=(scan,),
            signed_by=CANARIES["signed"],
        )
        observe(parcel, said, "poll", now)
        keep(
            {
                "provider": "easypost",
                "account": "a",
                "key": "evt_1",
                "shop_id": shop_in_scope(),
                "number_key": CANARIES["number"],
                "body": json.dumps(CANARIES).encode(),
                "body_digest": "d",
                "state": "applied",
                "error": "",
                "kind": "tracker.updated",
                "received_at": now,
            }
        )
        order_id = order.id
    after_the_sale(order_id)
    return CANARIES["email"]


def after_the_sale(order_id: str) -> None:
    """A return with photo and label, a claim, a withdrawal: all with her words and files."""
    now = clock.now()
    with inside(shop_id("fern")), writing():
        order = order_for_return(order_id, lock=True)
        assert order is not None
        asked = Asked.of("A", 1, "changed_mind", statement=CANARIES["statement"])
        rma = request_return(order, [asked], "page", "customer", now)
        photo_id = Photo.add(order_id, "A", "customer", now, rma.id)
        [label] = labels_of(rma.id)
        label.tracking_number = CANARIES["back"]
        label_id = label.id
        told = AskedClaim(
            "damaged", lines={"A": 1}, statement=CANARIES["statement"],
            police_report=CANARIES["police"],
        )  # fmt: skip
        order = order_for_return(order_id, lock=True)
        assert order is not None
        request_claim(order, told, "page", "customer", now)
        email = CANARIES["email"].upper()
        Withdrawal.declare(CANARIES["name"], "2002", email, "all", "en", now).mail_receipt(now)
    for path in (pictures.path_of(1, photo_id), label_files.path_of(1, label_id, "pdf")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CANARIES["name"].encode())


def document(number: str, email: str, tracking: str) -> OrderDocument:
    return read_as(
        OrderDocument,
        {
            "number": number,
            "email": email,
            "phone": CANARIES["phone"] if "canary" in email else "1",
            "placed_at": (clock.now() - timedelta(days=3)).isoformat(),
            "currency": "EUR",
            "shipping_address": {
                "name": CANARIES["name"] if "canary" in email else "Bob",
                "line1": CANARIES["line1"] if "canary" in email else "Street 1",
                "postcode": CANARIES["postcode"] if "canary" in email else "10999",
                "city": "Berlin",
                "country": "DE",
            },
            "lines": [{"sku": "A", "title": "Lamp", "quantity": 3, "unit_price_minor": 1099}],
            "payment": {"provider": "stripe", "reference": "pi_1", "captured_minor": 3297},
            "shipments": [{"carrier": "UPS", "tracking_number": tracking}],
        },
    )


def everything() -> str:
    """Every value of every table as text."""
    session.remove()
    found = []
    for table in Base.metadata.sorted_tables:
        for row in session.execute(text(f'SELECT * FROM "{table.name}"')).all():  # noqa: S608
            found += [str(v.decode() if isinstance(v, bytes) else v) for v in row]
    return "\n".join(found)


def sums() -> tuple[object, ...]:
    with inside(shop_id("fern")):
        return (
            session.scalar(select(func.count()).select_from(Order)),
            session.scalar(select(func.sum(Order.captured_minor))),
            session.scalar(select(func.sum(Unit.price_minor))),
            *session.execute(
                select(Shipment.status, Shipment.delivered_at).order_by(Shipment.id)
            ).all(),
        )


def test_nothing_of_the_person_is_left_and_every_sum_stays(run: Run, ann: str) -> None:
    assert all(canary in everything() for canary in PERSONAL)
    before = sums()
    done = run("erase", ann.upper(), "--shop", "fern", "--yes")
    assert done.exit_code == 0, done.output
    assert "Forgotten: 1 orders name nobody any more." in done.output
    left = everything()
    assert [canary for canary in PERSONAL if canary in left] == []
    assert sums() == before
    with inside(shop_id("fern")):
        order = session.scalars(select(Order).where(Order.number == "2002")).one()
        assert order.address == {"country": "DE"}
        assert session.scalar(select(func.count()).select_from(Message)) == 0
        polled = session.scalars(select(Due.subject).where(Due.queue == "poll")).all()
        assert len(polled) == 1  # the neighbour's
    with every_shop():
        assert session.scalar(select(func.count()).select_from(HookEvent)) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_files_on_the_disk_hold_nothing_of_the_person_either(
    run: Run, ann: str, tmp_path: Path
) -> None:
    session.remove()
    db.engine.dispose()
    assert any(CANARIES["email"].encode() in each.read_bytes() for each in files(tmp_path))
    assert run("erase", ann, "--shop", "fern", "--yes").exit_code == 0
    held = {c for c in PERSONAL for each in files(tmp_path) if c.encode() in each.read_bytes()}
    assert held == set()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_trail_says_that_it_was_done_without_saying_to_whom(run: Run, ann: str) -> None:
    run("erase", ann, "--shop", "fern", "--yes")
    with inside(shop_id("fern")):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "customer.erased")).one()
        customers = session.scalars(select(Customer.id).where(Customer.email == "")).all()
        assert entry.subject == f"customer:{customers[0]}"
        assert entry.after["orders"] == 1


def test_it_asks_first_and_does_nothing_on_no(run: Run, ann: str) -> None:
    done = run("erase", ann, "--shop", "fern", typed="n\n")
    assert done.exit_code == 1
    assert "Forget the person behind 1 orders" in done.output
    assert ann in everything()


def test_nobody_under_this_address_is_no_error_and_twice_is_no_harm(run: Run, ann: str) -> None:
    assert "holds nothing" in run("erase", "x@example.com", "--shop", "fern", "--yes").output
    run("erase", ann, "--shop", "fern", "--yes")
    again = run("erase", ann, "--shop", "fern", "--yes")
    assert again.exit_code == 0
    assert "holds nothing under this address" in again.output


def test_a_later_order_of_the_same_address_is_a_new_customers(run: Run, ann: str) -> None:
    run("erase", ann, "--shop", "fern", "--yes")
    with inside(shop_id("fern")), writing():
        order, _ = Order.upsert(document("2003", ann, "1Z999AA10123456786"), clock.now())
        assert order.customer_id is not None
        assert session.get_one(Customer, order.customer_id).email == ann
