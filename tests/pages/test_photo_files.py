"""Photos on the disk: every row has its file, and no file stays without a row."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs.photo_files import tidy_photos
from portal.keys import settings as house
from portal.models import Photo
from portal.models.photo import UNSENT
from portal.pages import photos
from portal.pictures import keep, path_of
from tests.conftest import running_app, shop_id
from tests.models.bought import bought
from tests.pages.browser import Browser
from tests.pages.test_claim import sent
from tests.pages.test_wizard import own_link, picture

LATER = UNSENT + timedelta(minutes=1)


def kept() -> set[tuple[int, str]]:
    """The rows, as (shop, photo)."""
    with every_shop():
        return {(photo.shop_id, photo.id) for photo in session.query(Photo)}


def on_disk() -> set[tuple[int, str]]:
    found = Path(house().media_root).glob("*/pho_*.webp")
    return {(int(path.parent.name), path.stem) for path in found}


def tidied(after: timedelta = LATER) -> None:
    with every_shop(), writing():
        tidy_photos(clock.now() + after)


@pytest.fixture
def any_app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The site with a folder for pictures of this test's own."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    yield from running_app(database_url, MEDIA_ROOT=str(folder))


def test_what_was_sent_stays_and_what_was_not_goes_after_a_day(any_app: Flask) -> None:
    browser, path = Browser(any_app), own_link(bought(now=clock.now()))
    assert sent(browser, f"{path}/claim", photo=picture()).status_code == 303
    (used,) = kept()
    browser.send(f"{path}/return/items", **{"take-0": "on", "sku": "TEE-M", "quantity-0": "1"})
    browser.send(f"{path}/return/why", **{"reason-0": "arrived_broken", "photo-0": picture()})
    assert len(kept()) == 2
    assert on_disk() == kept()
    tidied(UNSENT / 2)
    assert len(kept()) == len(on_disk()) == 2, "the form may still be filled in"
    tidied()
    assert on_disk() == kept() == {used}


def test_a_disk_that_takes_no_photo_leaves_no_row(
    any_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, path = Browser(any_app), own_link(bought())
    browser.send(f"{path}/return/items", **{"take-0": "on", "sku": "TEE-M", "quantity-0": "1"})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    any_app.config["PROPAGATE_EXCEPTIONS"] = False
    with monkeypatch.context() as patch:
        patch.setattr(photos, "keep", full)
        browser.send(f"{path}/return/why", **{"reason-0": "faulty", "photo-0": picture()})
    assert kept() == set()


@settings(max_examples=8, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    fates=st.lists(
        st.tuples(
            st.sampled_from(["fern", "volta"]),
            st.sampled_from(["row and file", "file", "row"]),
            st.booleans(),  # sent
            st.booleans(),  # old
        ),
        max_size=6,
    )
)
def test_after_tidying_rows_and_files_are_the_same_whatever_was_cut_off(
    any_app: Flask, fates: list[tuple[str, str, bool, bool]]
) -> None:
    """Of what is old; a row without a file that was sent is shown as missing, and stays."""
    expected_rows, expected_files = kept(), on_disk()
    for slug, what, is_sent, is_old in fates:
        at = clock.now() - (LATER if is_old else timedelta(0))
        place, has_row = _made(slug, what, at, is_sent=is_sent)
        stays = not is_old or (has_row and is_sent)
        if has_row and stays:
            expected_rows.add(place)
        if what != "row" and stays:
            expected_files.add(place)
    tidied(timedelta(0))
    assert kept() == expected_rows
    assert on_disk() == expected_files


def _made(slug: str, what: str, at: datetime, *, is_sent: bool) -> tuple[tuple[int, str], bool]:
    shop = shop_id(slug)
    order_id = bought(slug, number=os.urandom(6).hex())
    with inside(shop), writing():
        photo_id = Photo.add(order_id, "MUG", "customer", at)
        if is_sent:
            session.flush()
            session.query(Photo).filter_by(id=photo_id).update({"claim_id": "clm_1"})
        if what == "file":
            session.flush()
            session.query(Photo).filter_by(id=photo_id).delete()
    if what != "row":
        keep(shop, photo_id, b"RIFF")
        stamp = at.timestamp()
        os.utime(path_of(shop, photo_id), (stamp, stamp))
    return (shop, photo_id), what != "file"
