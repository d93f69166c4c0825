"""The adapter at a served stand-in of Stripe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.payments.stripe import Stripe
from portal.sandbox import Box
from tests.sandbox.conftest import STRIPE_KEY, box, door, hands, till

__all__ = ["box", "door", "hands", "shop", "till"]


@pytest.fixture
def shop(box: Box) -> Iterator[Stripe]:
    """Our adapter, which waits two seconds for an answer."""
    shop = Stripe(STRIPE_KEY, box.stripe_base, timeout=(1.0, 2.0), deadline=5.0)
    yield shop
    shop.close()
