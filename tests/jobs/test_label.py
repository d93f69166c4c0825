"""Labels: bought once whatever is lost, given back once when unused, kept as files of ours."""

from __future__ import annotations

from tests.jobs.counter import Counter


def test_an_approved_return_gets_its_label_and_its_parcel_is_followed(any_counter: Counter) -> None:
    return_id = any_counter.returned()
    any_counter.work()
    (label,) = any_counter.labels(return_id)
    assert (label.status, label.problem) == ("done", "")
    assert (label.carrier, label.service, label.currency) == ("USPS", "GroundAdvantage", "USD")
    assert label.cost_minor == 545 + 55
    assert label.shipment_id is not None
    assert any_counter.due("poll")
    assert any_counter.effects("label.bought") == 1
