"""A shop's policy in its versions: standard, drafted, published, scheduled, rolled back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from portal.db import inside, session, writing
from portal.models import AuditEntry, PolicyVersion, Shop
from portal.models.change import Conflict
from portal.models.policy import current_policy, live_version, policies, standing
from portal.sources.sentences import Invalid
from returns.cases import boundary_cases
from returns.versions import diff
from tests.conftest import shop_id
from tests.models.bought import NOW, ask, bought, rma, shirts

DAY = timedelta(days=1)


IN_THE_US = {"when": {"fact": "country", "is": "US"}}


def document(days: int = 30, **more: Any) -> dict[str, Any]:
    window = {"id": "window", "kind": "window", "days": days, **IN_THE_US, **more}
    return {"version": 99, "rules": [window, {"id": "yes", "kind": "approve"}]}


def published(days: int, since: Any = None, slug: str = "fern") -> int:
    with inside(shop_id(slug)), writing():
        made = PolicyVersion.draft(document(days), "staff:ann", NOW)
        made.publish("staff:ann", NOW, since)
        return made.version


def version(number: int) -> PolicyVersion:
    found = session.query(PolicyVersion).filter_by(version=number).one()
    assert isinstance(found, PolicyVersion)
    return found


def test_every_shop_has_a_policy_from_its_first_day(any_app: Flask) -> None:
    for slug in ("fern", "volta"):
        with inside(shop_id(slug)):
            policy = current_policy(NOW)
            shop = session.get_one(Shop, shop_id(slug))
            assert (policy.version, policy.currency) == (1, shop.currency)


def test_what_a_version_is_follows_from_the_clock(any_app: Flask) -> None:
    second = published(40)
    third = published(50, NOW + 5 * DAY)
    with inside(shop_id("fern")), writing():
        draft = PolicyVersion.draft(document(60), "staff:ann", NOW).version
    with inside(shop_id("fern")):
        for now, states in (
            (NOW, ["retired", "live", "scheduled", "draft"]),
            (NOW + 6 * DAY, ["retired", "retired", "live", "draft"]),
        ):
            live = live_version(now)
            found = [standing(version(n), live, now) for n in (1, second, third, draft)]
            assert found == states


def test_one_shops_policy_is_not_anothers(any_app: Flask) -> None:
    published(40)
    with inside(shop_id("volta")):
        assert current_policy(NOW).version == 1


def test_the_policy_of_the_orders_day_counts_unless_todays_is_better(any_app: Flask) -> None:
    published(1)  # delivered three days ago: too late by the new one
    before = rma_of(ask(bought(number="before"), shirts()))
    assert (before["policy_version"], before["outcome"]) == (1, "approve")
    later = NOW + 10 * DAY
    after = rma_of(ask(bought(number="after", now=later), shirts(), now=later))
    assert (after["policy_version"], after["outcome"]) == (2, "decline")
    with inside(shop_id("fern")):
        at_order, now = policies(NOW - DAY, NOW)
        assert (at_order.version, now.version) == (1, 2)


def rma_of(return_id: str) -> dict[str, Any]:
    with inside(shop_id("fern")):
        return dict(rma(return_id).lines[0].decision)


def test_a_later_policy_changes_nothing_that_was_decided(any_app: Flask) -> None:
    id = ask(bought(), shirts())
    before = rma_of(id)
    published(1)
    assert rma_of(id) == before


def test_what_lint_calls_an_error_is_not_published(app: Flask) -> None:
    settle_in("DE")
    everywhere = document(7, when={"all": []})
    with inside(shop_id("fern")), writing(), pytest.raises(Invalid, match="EU law"):
        PolicyVersion.draft(everywhere, "staff:ann", NOW).publish("staff:ann", NOW)


def test_a_shop_elsewhere_may_have_a_shorter_window_than_the_eu(app: Flask) -> None:
    settle_in("US")
    with inside(shop_id("fern")), writing():
        made = PolicyVersion.draft(document(7, when={"all": []}), "staff:ann", NOW)
        made.publish("staff:ann", NOW)
        assert made.since == NOW


def settle_in(country: str) -> None:
    with inside(shop_id("fern")), writing():
        session.get_one(Shop, shop_id("fern")).country = country


def test_saved_cases_must_hold_before_a_version_is_published(app: Flask) -> None:
    number = published(30)
    with inside(shop_id("fern")), writing():
        made = version(number)
        made.save_expectations(boundary_cases(made.policy), "staff:ann")
    with pytest.raises(Invalid, match="window: last day"):
        published(20)
    assert published(30) > number


def test_a_published_version_is_never_changed_nor_backdated(app: Flask) -> None:
    number = published(30)
    with inside(shop_id("fern")), writing():
        with pytest.raises(Conflict):
            version(number).publish("staff:ann", NOW)
        with pytest.raises(Conflict):
            version(number).withdraw("staff:ann", NOW)
        draft = PolicyVersion.draft(document(40), "staff:ann", NOW)
        with pytest.raises(Invalid):
            draft.publish("staff:ann", NOW, NOW - DAY)


def test_a_scheduled_version_can_be_stopped(app: Flask) -> None:
    number = published(40, NOW + DAY)
    with inside(shop_id("fern")), writing():
        version(number).withdraw("staff:ann", NOW)
    with inside(shop_id("fern")):
        assert current_policy(NOW + 2 * DAY).version == 1


def test_rolling_back_is_publishing_again(app: Flask) -> None:
    published(40)
    with inside(shop_id("fern")), writing():
        again = version(1).restore("staff:ann", NOW, why="Too generous.")
        assert again.version == 3
        assert diff(version(1).policy, again.policy) == []
        assert current_policy(NOW).version == 3
        told = session.query(AuditEntry).filter_by(act="policy.published").all()
        assert told[-1].why == "Too generous."


@pytest.mark.parametrize("sent", [None, [], {}, {"rules": [{"id": "x", "kind": "magic"}]}])
def test_a_document_that_cannot_be_read_is_refused_in_sentences(app: Flask, sent: Any) -> None:
    with inside(shop_id("fern")), writing(), pytest.raises(Invalid) as refused:
        PolicyVersion.draft(sent, "staff:ann", NOW)
    assert all(error["message"].endswith(".") for error in refused.value.errors)
