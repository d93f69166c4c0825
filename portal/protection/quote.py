"""A quote: a signed statement of what cover costs for one cart, valid for a day, kept nowhere.

It is bound to the shop, the currency, the country and the lines. Whoever brings it back has paid
for exactly this, or it is refused with a reason; a refusal costs nobody anything.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

from portal.protection.price import Line, value_of

LIFE: Final = timedelta(days=1)
AHEAD: Final = timedelta(minutes=5)  # how far another machine's clock may be before ours
SIGNED_FOR: Final = "porchlight protection quote"
# Why a quote is refused, as codes.
REASONS: Final = (
    *("altered", "other_shop", "stale", "reused", "currency", "country", "lines", "value"),
    *("categories", "on_its_way", "covered_already", "order_cancelled"),
)


class NotOurs(ValueError):
    """A text that we did not sign, or that was changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What was quoted. Moments are whole seconds since 1970, UTC."""

    id: str
    shop_id: int
    currency: str
    country: str
    goods: str  # digests of what the lines are, and of their categories
    categories: str
    value_minor: int
    shipping_minor: int
    premium_minor: int
    climate_minor: int
    cover_minor: int
    parcel_minor: int
    covers_return: bool
    plan_version: int
    text_version: str
    made_at: int
    ends_at: int

    @property
    def quoted_at(self) -> datetime:
        """When it was made."""
        return datetime.fromtimestamp(self.made_at, UTC)

    @property
    def expires_at(self) -> datetime:
        """The last moment at which it can be accepted."""
        return datetime.fromtimestamp(self.ends_at, UTC)


def sign(quote: Quote, keys: tuple[bytes, ...]) -> str:
    """The quote as a text that can be given to anybody. The first of `keys` signs."""
    return str(_signer(keys).dumps([getattr(quote, name) for name in _NAMES]))


def read(text: str, keys: tuple[bytes, ...]) -> Quote:
    """The quote in a text, signed with any of `keys`. Raises NotOurs."""
    try:
        values = _signer(keys).loads(text)
        return Quote(**dict(zip(_NAMES, values, strict=True)))
    except (BadData, ValueError, TypeError) as error:
        raise NotOurs("This quote was not signed here, or was changed since.") from error


_NAMES: Final = tuple(each.name for each in fields(Quote))


@lru_cache(maxsize=8)
def _signer(keys: tuple[bytes, ...]) -> URLSafeSerializer:
    # The last key of the list signs, all of them are honoured.
    how = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(list(reversed(keys)), salt=SIGNED_FOR, signer_kwargs=how)


@dataclass(frozen=True, slots=True)
class Bought:
    """What a quote is held against: the order as it was paid. `value_minor` after all discounts."""

    shop_id: int
    currency: str
    country: str
    lines: Sequence[Line]
    value_minor: int

    @staticmethod
    def of(shop_id: int, currency: str, country: str, lines: Sequence[Line], off: int) -> Bought:
        """An order with a discount `off` on the whole of it."""
        return Bought(shop_id, currency, country, lines, sum(map(value_of, lines)) - off)


def difference(quote: Quote, bought: Bought) -> str:
    """The reason why a quote is not for what was bought; '' where it is."""
    told = any(line.category for line in bought.lines)
    checks = (
        ("other_shop", quote.shop_id == bought.shop_id),
        ("currency", quote.currency == bought.currency),
        ("country", quote.country == bought.country),
        ("lines", quote.goods == goods_digest(bought.lines)),
        ("categories", not told or quote.categories == categories_digest(bought.lines)),
        ("value", quote.value_minor == bought.value_minor),
    )
    return next((reason for reason, holds in checks if not holds), "")


def is_stale(quote: Quote, placed_at: datetime, now: datetime) -> bool:
    """Whether it had run out when the order was placed.

    An order told of later counts by when it was placed, if that was after the quote was made.
    """
    moment = placed_at if quote.quoted_at <= placed_at <= now else now
    return not quote.quoted_at - AHEAD <= moment <= quote.expires_at


def goods_digest(lines: Iterable[Line]) -> str:
    """Equal for the same pieces at the same prices, however they are spread over lines."""
    pieces: Counter[tuple[str, int]] = Counter()
    for line in lines:
        pieces[line.sku, line.unit_price_minor] += line.quantity
    return _digest(sorted([*key, count] for key, count in pieces.items()))


def categories_digest(lines: Iterable[Line]) -> str:
    """Equal where the same articles are of the same categories."""
    return _digest(sorted({(line.sku, line.category.casefold()) for line in lines}))


def _digest(found: object) -> str:
    text = json.dumps(found, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
