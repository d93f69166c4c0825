"""Labels: bought once, given back once, and a return that goes the other way."""

import json
from io import BytesIO

import pytest
import requests
from easypost.errors import InvalidRequestError, NotFoundError
from PIL import Image

from portal.sandbox import labels
from tests.sandbox.test_shapes import ADDRESS, SHIPMENT

SHOP = ADDRESS | {"name": "Fern", "street1": "9 Shop Lane"}


@pytest.fixture
def shipment(client):
    return client.shipment.create(**SHIPMENT)


def test_a_label_is_bought_once_and_the_second_time_says_so(client, shipment, door):
    bought = client.shipment.buy(shipment.id, rate=shipment.lowest_rate())
    assert bought.selected_rate.service == "GroundAdvantage"
    assert bought.tracker.tracking_code == bought.tracking_code
    with pytest.raises(InvalidRequestError) as refused:
        client.shipment.buy(shipment.id, rate={"id": shipment.rates[0].id})
    assert refused.value.code == "SHIPMENT.POSTAGE.EXISTS"
    again = client.shipment.retrieve(shipment.id)
    assert again.postage_label.id == bought.postage_label.id
    assert door.get("counts")["effects"]["label.bought"] == 1


def test_a_rate_of_another_shipment_buys_nothing(client, shipment):
    other = client.shipment.create(**SHIPMENT)
    with pytest.raises(NotFoundError):
        client.shipment.buy(shipment.id, rate={"id": other.rates[0].id})
    assert client.shipment.retrieve(shipment.id).postage_label is None


@pytest.mark.parametrize(("form", "kind"), [("PNG", "image/png"), ("PDF", "application/pdf")])
def test_the_label_can_be_read_and_is_marked(client, form, kind):
    made = client.shipment.create(**SHIPMENT | {"options": {"label_format": form}})
    label = client.shipment.buy(made.id, rate={"id": made.rates[2].id}).postage_label
    answer = requests.get(label.label_url, timeout=5)
    assert answer.headers["Content-Type"] == label.label_file_type == kind
    if form == "PNG":
        assert Image.open(BytesIO(answer.content)).size == labels.SIZE
    else:
        assert answer.content.startswith(b"%PDF")


def test_a_code_stands_for_the_label_at_a_counter(client, shipment, shared_data):
    with pytest.raises(InvalidRequestError):
        client.shipment.generate_form(shipment.id, "label_qr_code")
    client.shipment.buy(shipment.id, rate={"id": shipment.rates[0].id})
    with pytest.raises(InvalidRequestError):
        client.shipment.generate_form(shipment.id, "something_else")
    [form] = client.shipment.generate_form(shipment.id, "label_qr_code").to_dict()["forms"]
    recorded = json.loads((shared_data / "easypost/shipments/form_create.json").read_text())
    body = recorded["response"]["body"]
    body = json.loads(body) if isinstance(body, str) else body
    assert form.keys() == body["forms"][0].keys()
    answer = requests.get(form["form_url"], timeout=5)
    assert answer.headers["Content-Type"] == "image/png"
    assert Image.open(BytesIO(answer.content)).size[0] >= 200


def test_a_label_can_be_had_in_another_form(client, shipment):
    with pytest.raises(InvalidRequestError):
        client.shipment.label(shipment.id, file_format="PDF")
    client.shipment.buy(shipment.id, rate={"id": shipment.rates[0].id})
    changed = client.shipment.label(shipment.id, file_format="PDF")
    answer = requests.get(changed.postage_label.label_pdf_url, timeout=5)
    assert answer.content.startswith(b"%PDF")


def test_a_return_keeps_its_addresses_and_turns_its_label_round(client, box):
    asked = SHIPMENT | {"from_address": SHOP, "to_address": ADDRESS, "is_return": True}
    made = client.shipment.create(**asked)
    assert made.is_return is True
    assert made.to_address.name == made.buyer_address.name == "Ida Probe"
    assert made.from_address.name == made.return_address.name == "Fern"
    bought = client.shipment.buy(made.id, rate={"id": made.rates[0].id})
    lines = labels.lines(box.account.shipments[made.id])
    assert lines.index("Ida Probe") < lines.index("TO") < lines.index("Fern")
    assert client.tracker.retrieve(bought.tracker.id).is_return is True


def test_a_bought_label_is_unknown_until_its_parcel_is_registered(client, shipment, door):
    bought = client.shipment.buy(shipment.id, rate={"id": shipment.rates[0].id})
    assert bought.tracker.status == "unknown"
    door.parcel(bought.tracking_code, carrier="USPS", shown=2)
    assert client.shipment.retrieve(shipment.id).status == "in_transit"
    assert client.tracker.retrieve(bought.tracker.id).shipment_id == shipment.id


def test_postage_is_given_back_once_and_only_unused(client, shipment, door):
    with pytest.raises(InvalidRequestError):
        client.shipment.refund(shipment.id)
    client.shipment.buy(shipment.id, rate={"id": shipment.rates[0].id})
    assert client.shipment.refund(shipment.id).refund_status == "submitted"
    with pytest.raises(InvalidRequestError):
        client.shipment.refund(shipment.id)
    assert door.get("counts")["effects"]["label.refunded"] == 1
    used = client.shipment.create(**SHIPMENT)
    used = client.shipment.buy(used.id, rate={"id": used.rates[0].id})
    door.parcel(used.tracking_code, carrier="USPS", shown=2)
    with pytest.raises(InvalidRequestError):
        client.shipment.refund(used.id)
    refused = client.refund.create(carrier="USPS", tracking_codes=[used.tracking_code])
    assert [each.status for each in refused] == ["rejected"]


def test_refunds_by_code_can_be_read_again(client, shipment):
    bought = client.shipment.buy(shipment.id, rate={"id": shipment.rates[0].id})
    made = client.refund.create(carrier="USPS", tracking_codes=[bought.tracking_code])
    assert [each.status for each in made] == ["submitted"]
    assert client.refund.retrieve(made[0].id).shipment_id == shipment.id
    assert client.refund.all()["refunds"][0].id == made[0].id
    with pytest.raises(NotFoundError):
        client.refund.create(carrier="USPS", tracking_codes=["9400000000000000000000"])


def test_a_shipment_can_be_found_by_its_reference(client, shipment):
    client.shipment.create(**SHIPMENT | {"reference": "rma-8"})
    found = client.shipment.all(reference="rma-7", purchased=False)
    assert [each.id for each in found["shipments"]] == [shipment.id]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"parcel": {}}, "parcel.weight"),
        ({"parcel": {"weight": "20"}}, "parcel.weight"),
        ({"parcel": {"weight": -1}}, "parcel.weight"),
        ({"to_address": ADDRESS | {"street1": None}}, "shipment.to_address.street1"),
        ({"to_address": ADDRESS | {"planet": "Mars"}}, "to_address.planet"),
        ({"is_return": "yes"}, "is_return"),
        ({"carrier": "USPS"}, "carrier"),
    ],
)
def test_a_shipment_easypost_would_not_take_is_refused(client, door, change, field):
    with pytest.raises(InvalidRequestError) as refused:
        client.shipment.create(**SHIPMENT | change)
    assert refused.value.errors[0]["field"] == field
    assert "shipment.created" not in door.get("counts")["effects"]
