"""Doctor: whether those we depend on answer, take our keys, and keep the time we keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import redis
from sqlalchemy import select

from carriers.contract import AuthBroken, CarrierError
from carriers.easypost import EasyPost, Webhook
from portal import clock
from portal.channels import ChannelError
from portal.channels.email import greet
from portal.cli.findings import Finding, fail, ok, warn
from portal.config import DEMO_MAIL, Settings
from portal.db import session
from portal.keys import Unsealable, settings
from portal.models import Shop

SKEW = timedelta(seconds=60)  # signed hooks of another provider count five minutes at the most
ASK_S = (3.0, 10.0)  # to connect, and to be answered
SLOWEST_S = 15.0


@dataclass(frozen=True)
class Account:
    """One EasyPost key, and the shops that use it."""

    key: str
    shops: list[Shop]

    @property
    def whose(self) -> str:
        """Who uses it, for the reader."""
        return ", ".join(shop.slug for shop in self.shops) or "no shop yet"


def shops_by_id() -> list[Shop]:
    """All shops, let go of by the database: nobody is asked with a transaction open."""
    shops = list(session.scalars(select(Shop).order_by(Shop.id)))
    session.expunge_all()
    session.rollback()
    return shops


def of_easypost(shops: Sequence[Shop]) -> Iterator[Finding]:
    """Each key once: does it open, and do the hooks arrive where the shops are?"""
    accounts: dict[str, Account] = {}
    house = settings().easypost_api_key
    if house:
        accounts[house] = Account(house, [])
    for shop in shops:
        try:
            key = shop.key("easypost_api_key") or house
        except Unsealable:
            yield fail(
                "easypost",
                f"the key of {shop.slug} was sealed with a SECRET_KEY that is no longer set",
                "Add that key to SECRET_KEY_FALLBACKS, or store the provider's key again.",
            )
            continue
        if key:
            accounts.setdefault(key, Account(key, [])).shops.append(shop)
    if not accounts:
        yield warn(
            "easypost",
            "EASYPOST_API_KEY is not set: parcels are not followed",
            "Set it to a key of your EasyPost account, or run: porchlight sandbox",
        )
    for account in accounts.values():
        yield from _account(account)


def _account(account: Account) -> Iterator[Finding]:
    try:
        client = EasyPost(account.key, settings().easypost_api_base, ASK_S, SLOWEST_S)
        hooks = client.webhooks()
    except AuthBroken as error:
        yield fail("easypost", f"{error} ({account.whose})", "Copy the key again from EasyPost.")
        return
    except ValueError as error:
        yield fail("easypost", str(error), "Correct EASYPOST_API_KEY or EASYPOST_API_BASE.")
        return
    except CarrierError as error:
        yield warn(
            "easypost",
            f"{error} ({account.whose})",
            "Nothing to do if it passes: parcels are asked about again by themselves.",
        )
        return
    yield ok("easypost", f"answers and takes the key ({account.whose})")
    yield from _clock(client.told_at())
    for shop in account.shops:
        yield _hook(shop, hooks)


def _clock(theirs: datetime | None) -> Iterator[Finding]:
    if theirs is None:
        return
    off = abs(clock.now() - theirs)
    if off > SKEW:
        yield fail(
            "clock",
            f"this machine's clock is {off.total_seconds():.0f} seconds off EasyPost's",
            "Set it, and keep it set: timedatectl set-ntp true",
        )
    else:
        yield ok("clock", "agrees with EasyPost's")


def _hook(shop: Shop, hooks: list[Webhook]) -> Finding:
    ending = f"/hooks/easypost/{shop.slug}"
    ours = [hook for hook in hooks if urlsplit(hook.url).path == ending]
    here = f"{shop.origin}{ending}"
    if not settings().easypost_webhook_secret and not shop.sealed_keys.get(
        "easypost_webhook_secret"
    ):
        return warn(
            "webhook",
            f"EASYPOST_WEBHOOK_SECRET is not set, so that {shop.slug} takes no hooks",
            "Set it to a random secret and register the hook with it; polling goes on meanwhile.",
        )
    if not ours:
        return warn(
            "webhook",
            f"none is registered for {shop.slug}: parcels are polled only",
            f"Register {here} at EasyPost with the secret in EASYPOST_WEBHOOK_SECRET.",
        )
    if all(hook.disabled_at for hook in ours):
        return fail(
            "webhook",
            f"EasyPost has given up on {ours[0].url}",
            "See that this address is reachable from outside, then enable the hook at EasyPost.",
        )
    return ok("webhook", f"registered for {shop.slug}")


def of_mail(house: Settings) -> Iterator[Finding]:
    """Whether mail can be handed over."""
    if not house.smtp_url:
        yield warn("mail", "SMTP_URL is not set: nobody is written to", "Set SMTP_URL, MAIL_FROM.")
    elif house.smtp_url == DEMO_MAIL:
        yield ok("mail", "stays in the demo's outbox")
    else:
        try:
            greet(house.smtp_url, house.mail_from)
        except ChannelError as error:
            yield fail("mail", str(error), "Check SMTP_URL; messages wait until it answers.")
        else:
            yield ok("mail", "the mail server answers and takes our name")


def of_others(house: Settings) -> Iterator[Finding]:
    """Providers that are only looked at for their keys, and Redis."""
    for name, key, secret in (
        ("stripe", house.stripe_secret_key, house.stripe_webhook_secret),
        ("twilio", house.twilio_account_sid, house.twilio_auth_token),
    ):
        if key and not secret:
            yield warn(name, "key set, but no webhook secret: its hook answers 503",
                       f"Set {name.upper()}_WEBHOOK_SECRET.")  # fmt: skip
        elif key:
            yield ok(name, "keys set, not asked")
        else:
            yield ok(name, "off: no key is set")
    if house.redis_url:
        yield _redis(house.redis_url)


def _redis(url: str) -> Finding:
    client = redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3)
    try:
        client.ping()
    except redis.RedisError as error:
        return warn(
            "redis",
            f"does not answer ({type(error).__name__}); limits are counted in the database",
            "Check REDIS_URL and the server.",
        )
    finally:
        client.close()
    return ok("redis", "answers")
