"""Two shirts to be exchanged for larger ones that are sent at once, and what becomes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests
from sqlalchemy import select, update

from portal import clock
from portal.db import inside, session, writing
from portal.jobs.bank import bank_of
from portal.jobs.instant import open_page
from portal.jobs.instant_pay import open_pay_page
from portal.models import Instant, Order, PolicyVersion, Return, Shop, Variant
from portal.models.exchange import exchanges_of
from portal.models.instant import agree, offers
from portal.models.instant_pay import owed
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from returns.standard import standard_policy
from tests.conftest import shop_id
from tests.jobs.counter import Counter
from tests.models.bought import shirts, sold

EACH_MINOR = 1_900
WORKS = ("instant", "settle", "payment", "expire")
CONSENT = {"text": "We charge $38.00 on 12 December if nothing comes back.", "version": 1}


class Swap:
    """An exchange under rules that send the other articles ahead."""

    def __init__(self, counter: Counter, quantity: int = 2) -> None:
        self.counter = counter
        document = standard_policy("USD", "America/New_York")
        document["rules"].insert(0, {"id": "now", "kind": "instant_exchange", "days": 14})
        with inside(shop_id("fern")), writing():
            PolicyVersion.draft(document, "staff:ada", clock.now()).publish(
                "staff:ada", clock.now(), why="instant"
            )
        sold(available=2)
        wish = shirts(quantity, resolution="exchange", exchange_sku="TEE-L", fallback="refund")
        self.return_id = counter.returned(wish)

    def agree(self) -> str:
        """Agree; gives the URL of the page where the card is saved."""
        with inside(shop_id("fern")):
            with writing():
                rma = Return.locked(self.return_id)
                assert rma is not None
                (offer,) = offers(rma, clock.now())
                made = agree(rma, offer.exchange.id, CONSENT, clock.now()).id
            bank = bank_of(session.get_one(Shop, shop_id("fern")))
            assert bank is not None
            shop = "http://fern.localhost:8000/r/x"
            return open_page(bank, made, "ada@example.com", shop, shop)

    def to_pay(self) -> str:
        """The URL of the page to pay at what the card was not charged for; "" for nothing."""
        with inside(shop_id("fern")):
            due = owed(self.row.id)
            bank = bank_of(session.get_one(Shop, shop_id("fern")))
            session.rollback()
            assert bank is not None
            shop = "http://fern.localhost:8000/r/x"
            return open_pay_page(bank, due, shop, shop) if due else ""

    def save(self, url: str, means: str = "pm_card_visa") -> None:
        form = {"act": "pay", "means": means, "email": "ada@example.com"}
        answer = requests.post(url, data=form, allow_redirects=False, timeout=5)
        assert answer.status_code == 303
        if "/authenticate/" in (bank := answer.headers["Location"]):
            requests.post(bank, data={"act": "agree"}, allow_redirects=False, timeout=5)

    def sent(self, means: str = "pm_card_visa") -> None:
        self.save(self.agree(), means)
        self.look()
        assert self.row.status == "saved"

    def look(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            self.counter.later()
            self.counter.work(*WORKS)

    def day_comes(self) -> None:
        with inside(shop_id("fern")), writing():
            past = clock.now() - timedelta(minutes=1)
            told = past - timedelta(days=2)
            session.execute(update(Instant).values(charge_at=past, reminded_at=told))

    @property
    def row(self) -> Instant:
        with inside(shop_id("fern")):
            (found,) = Instant.of(self.return_id)
            session.expunge_all()
            return found

    def numbers(self) -> list[str]:
        with inside(shop_id("fern")):
            return list(session.scalars(select(Order.number).order_by(Order.number)))

    def order_id(self) -> str:
        with inside(shop_id("fern")):
            (found,) = exchanges_of(self.return_id)
            return found.order_id or ""

    def left(self) -> int | None:
        with inside(shop_id("fern")):
            variant = Variant.of("TEE-L")
            assert variant is not None
            return variant.available

    def charges(self) -> list[Any]:
        """What Stripe charged for it."""
        rows = self.counter.till().v1.payment_intents.list({"limit": 100}).data
        return [row for row in rows if row.metadata.to_dict().get("instant")]

    def paid(self) -> list[int]:
        return [row.amount for row in self.charges() if row.status == "succeeded"]

    def resolve(self) -> None:
        """Staff settle what came back as it was asked."""
        with inside(shop_id("fern")), writing():
            rma = Return.locked(self.return_id)
            assert rma is not None
            resolve(rma, None, Act("staff:ada", clock.now()))
