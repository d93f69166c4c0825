"""The demo storefront: cart, a delivery by its date, protection, payment, and thanks.

It stands for a shop of its own: it shows the widget as any other page would, and its order comes in
by the same door as everybody's once it is paid.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request

from carriers.workdays import Place
from portal import clock
from portal.db import session, writing
from portal.demo.goods import Good
from portal.demo.seeds import PICTURE_ROOT
from portal.demo.tales import BRANDS, Brand, line
from portal.format import money
from portal.jobs.bank import bank_of
from portal.jobs.checkout import open_page
from portal.models import Checkout, Link, Order, Shop
from portal.models.arrival_terms import promise_in
from portal.models.cover import quote_keys
from portal.models.cover_record import SETTING
from portal.models.protection import protection_of
from portal.pages.brand import brand as worn
from portal.pages.brand import page_locale, static_url
from portal.pages.dates import Calendar
from portal.pages.protection_words import STATES
from portal.payments.contract import PaymentError
from portal.protection.quote import Bought, NotOurs, Quote, difference, is_stale, read

bp = Blueprint("demo_shop", __name__, url_prefix="/demo/shop")
TOKEN: Final = "quote_token"
MOST: Final = 5
DELIVERIES: Final = {"standard": 490, "express": 1_290}  # what each costs
GONE: Final = (
    "Your protection choice could not be used: {why}. Nothing was charged. Look at the price and "
    "choose again."
)


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line of the cart, as a quote and the payment see it."""

    sku: str
    quantity: int
    unit_price_minor: int
    category: str
    discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Basket:
    """What is about to be bought. Prices are the shop's own, whatever was sent."""

    of: Brand
    counts: dict[str, int]
    delivery: str
    now: datetime

    @property
    def goods(self) -> list[tuple[Good, int]]:
        """Each article that is in it, with how many."""
        return [(each, self.counts[each.sku]) for each in self.of.goods if self.counts[each.sku]]

    @property
    def lines(self) -> list[CartLine]:
        """The same, as a quote sees it."""
        return [CartLine(g.sku, n, g.price_minor, g.category) for g, n in self.goods]

    @property
    def currency(self) -> str:
        return self.of.look["currency"]

    @property
    def shipping_minor(self) -> int:
        return DELIVERIES[self.delivery]

    @property
    def goods_minor(self) -> int:
        return sum(each.price_minor * count for each, count in self.goods)

    def arrives(self, delivery: str) -> date:
        """The last day of a delivery, by the shop's own promise."""
        told = self.of.look
        promise = promise_in(self.of.settings, told["country"], told["timezone"])
        home = Place(self.of.address["country"], self.of.address["region"])
        window = promise.window(self.now, None, home, service=delivery) if promise else None
        return window.last if window else self.now.date()

    def cart(self) -> dict[str, Any]:
        """What the widget asks about."""
        return {
            "currency": self.currency,
            "country": self.of.address["country"],
            "lines": [asdict(each) for each in self.lines],
            "shipping_minor": self.shipping_minor,
        }


@bp.get("")
def cart() -> Response:
    """The cart with its delivery, the protection on offer, and what it comes to."""
    return _shown(_basket())


@bp.post("")
def pay() -> Response:
    """Lead to Stripe's page. Only what is found paid there becomes an order."""
    basket = _basket()
    if not basket.goods:
        return _shown(basket, "Your cart is empty. Choose at least one thing.", 422)
    quote, why = _quote(basket)
    if why:
        return _shown(basket, GONE.format(why=why), 409)
    bank = bank_of(session.get_one(Shop, g.shop_id))
    session.rollback()
    if bank is None:
        return _shown(basket, "Stripe is not set up here, so nothing can be paid.", 503)
    with writing():
        made, token = _begin(basket, quote)
        session.flush()
        checkout_id = made.id
    here = request.host_url.rstrip("/")
    try:
        url = open_page(
            bank, checkout_id, f"{here}/demo/shop/thanks/{token}", f"{here}/demo/shop{_query()}"
        )
    except PaymentError:
        said = "The payment page cannot be opened at this moment. Nothing was charged. Try again."
        return _shown(basket, said, 502)
    return make_response(redirect(url, 303))


@bp.get("/thanks/<token>")
def thanks(token: str) -> str:
    """What became of it. Coming back here proves nothing: the order is there once it is paid."""
    row = Checkout.at(token) or abort(404)
    order = session.get(Order, row.order_id) if row.order_id else None
    cover = protection_of(order.id) if order is not None else None
    link = Link.of(order.id) if order is not None else ""
    calendar = Calendar.at(clock.now(), page_locale(), worn().shop.timezone)
    return render_template(
        "demo/thanks.html",
        state=row.status,
        number=order.number if order is not None else "",
        arrives=calendar.long(date.fromisoformat(row.document["arrives"])),
        sums=_sums(row),
        total=money(row.amount_minor, row.currency, page_locale()),
        cover=STATES[cover.status] if cover is not None else "",
        page=f"/t/{link}" if link else "",
        addable=bool(link) and cover is None,
    )


def _sums(row: Checkout) -> list[tuple[str, str]]:
    return [
        (
            f"{each['quantity']} × {each['title']}" if each["quantity"] > 1 else each["title"],
            money(each["amount_minor"] * each["quantity"], row.currency, page_locale()),
        )
        for each in row.items
    ]


# --- what is bought -----------------------------------------------------------------------------


def _basket() -> Basket:
    of = next((each for each in BRANDS if each.slug == g.shop.slug), None) or abort(404)
    chosen = any(name.startswith("n-") for name in request.values)
    counts = {
        each.sku: _count(f"n-{each.sku}") if chosen else int(place in (1, 2))
        for place, each in enumerate(of.goods)
    }
    delivery = request.values.get("delivery", "standard")
    return Basket(of, counts, delivery if delivery in DELIVERIES else "standard", clock.now())


def _count(name: str) -> int:
    return max(0, min(MOST, request.values.get(name, 0, type=int)))


def _query() -> str:
    kept = [f"{name}={value}" for name, value in request.form.items() if name.startswith("n-")]
    return "?" + "&".join(kept) if kept else ""


def _quote(basket: Basket) -> tuple[Quote | None, str]:
    """The quote that was chosen, and why it is not for this cart. Nothing chosen is nothing."""
    text = request.form.get("protection_quote", "")
    if not text:
        return None, ""
    try:
        quote = read(text, quote_keys())
    except NotOurs:
        return None, "the offer could not be read"
    if is_stale(quote, basket.now, basket.now):
        return None, "the offer had run out"
    country = basket.of.address["country"]
    bought = Bought.of(g.shop_id, basket.currency, country, basket.lines, 0)
    return quote, "the cart has changed" if difference(quote, bought) else ""


def _begin(basket: Basket, quote: Quote | None) -> tuple[Checkout, str]:
    """The checkout of a cart: every line with its price, the protection as one of its own."""
    items = [_item(each.title, each.price_minor, n) for each, n in basket.goods]
    items.append(_item("Delivery", basket.shipping_minor, 1))
    if quote is not None:
        items.append(_item("Delivery protection", quote.premium_minor, 1))
    email = request.form.get("email", "").strip() or basket.of.email
    order = {
        "number": f"{910_000 + secrets.randbelow(80_000)}",
        "email": email,
        "currency": basket.currency,
        "shipping_address": basket.of.address,
        "lines": [line(basket.of, each, n, PICTURE_ROOT) for each, n in basket.goods],
        "shipping_minor": basket.shipping_minor,
        "service": basket.delivery,
        "protection_quote": request.form["protection_quote"] if quote is not None else None,
    }
    consent = {
        "choice": "accepted" if quote is not None else "not chosen",
        "preselected": False,
        "text_version": quote.text_version if quote is not None else "",
        "at": basket.now.isoformat(),
    }
    arrives = basket.arrives(basket.delivery).isoformat()
    document = {"order": order, "arrives": arrives, "consent": consent}
    return Checkout.begin(
        "cart", items, document, basket.now, currency=basket.currency, email=email
    )


def _item(title: str, amount_minor: int, quantity: int) -> dict[str, Any]:
    return {"title": title, "amount_minor": amount_minor, "quantity": quantity}


# --- what is shown ------------------------------------------------------------------------------


def _shown(basket: Basket, message: str = "", status: int = 200) -> Response:
    locale = page_locale()
    calendar = Calendar.at(basket.now, locale, worn().shop.timezone)
    text = render_template(
        "demo/shop.html",
        message=message,
        rows=[(each, basket.counts[each.sku], _amount(basket, each)) for each in basket.of.goods],
        most=MOST,
        picture=lambda good: static_url(f"pictures/{good.picture}.webp"),
        deliveries=[
            (code, cost, money(cost, basket.currency, locale), calendar.long(basket.arrives(code)))
            for code, cost in DELIVERIES.items()
        ],
        delivery=basket.delivery,
        basket=basket,
        cart=json.dumps(basket.cart()),
        token=g.shop.settings.get(TOKEN, ""),
        speaks=g.shop.settings.get(SETTING) is True,
        email=request.values.get("email") or basket.of.email,
        goods_total=money(basket.goods_minor, basket.currency, locale),
        total=money(basket.goods_minor + basket.shipping_minor, basket.currency, locale),
    )
    return make_response(text, status)


def _amount(basket: Basket, good: Good) -> str:
    return money(good.price_minor, basket.currency, page_locale())
