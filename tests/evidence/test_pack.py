"""The evidence pack: complete, readable whatever people wrote, and the same for the same facts."""

from __future__ import annotations

import io
import json
import string
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import time_machine
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import update

from portal.db import inside, session, writing
from portal.evidence.letters import markup
from portal.evidence.pack import write_pack
from portal.evidence.summary import draw_letters, draw_summary
from portal.keys import seal
from portal.models import AuditEntry, Claim, Message, Order, Photo, Shipment, StoredScan
from portal.models.evidence import evidence_of_claim, evidence_of_order, photos_of
from portal.pictures import keep, redraw
from tests.conftest import shop_id
from tests.models.bought import NOW, bought
from tests.models.test_claim import claimed
from tests.staff.test_signin import joined

HOSTILE = (
    "<b>ünö</b> <script>alert(1)</script> &amp; <img src='file:///etc/passwd'/> </para><br/>",
    "日本語と漢字 한국어 你好，世界 Ω и Я",
    "שלום עולם مرحبا بالعالم \u202egnp.exe\u202c",
    "😀👍🏽👩‍👩‍👧 ☃ \x00\x07\x1b[31m \ud800 \ufffe 𠀀",
    "x" * 5_000,
)


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1200, 800), "#a44").save(out, "PNG")
    return redraw(out.getvalue(), 1600)


def a_claim(statement: str = "It came in two pieces.", photos: int = 2) -> str:
    """A claim for the mug with photos, scans with their own zone, and a mail with a link."""
    claim_id = claimed(bought(), lines={"MUG": 1}, statement=statement)
    with inside(shop_id("fern")), writing():
        claim = session.get_one(Claim, claim_id)
        for n in range(photos):
            made = Photo.add(claim.order_id, "MUG", "customer", NOW + timedelta(seconds=n))
            session.flush()
            Photo.attach_to_claim([made], claim.order_id, claim_id)
            keep(shop_id("fern"), made, photo())
        parcel = session.query(Shipment).filter_by(order_id=claim.order_id).one()
        parcel.signed_by = "A. NEIGHBOUR"
        session.add(
            StoredScan(
                shipment_id=parcel.id,
                key="k1",
                at=NOW - timedelta(days=3),
                offset_minutes=-360,
                status="delivered",
                city="AUSTIN",
                message="Left at <front> door",
            )
        )
        session.add(
            Message(
                kind="delivered",
                recipient="ada@example.com",
                cause="c1",
                order_id=claim.order_id,
                state="sent",
                sent_at=NOW - timedelta(days=3),
                subject="Order 1001 is there",
                text=seal("See http://fern.localhost:8000/t/SECRETTOKEN for more."),
            )
        )
    return claim_id


def facts_of(claim_id: str) -> dict[str, Any]:
    with inside(shop_id("fern")):
        return evidence_of_claim(session.get_one(Claim, claim_id), NOW)


@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_a_customer_wrote_is_drawn_as_text(app: Flask, words: str) -> None:
    claim_id = a_claim(photos=0)
    facts = facts_of(claim_id)
    facts["claims"][0]["words"] = [("In the customer's words", words * 3)]
    facts["parcels"][0]["scans"][0]["message"] = words
    facts["order"]["name"] = facts["about"]["title"] = words
    for draw in (lambda out: draw_summary(facts, [], out), lambda out: draw_letters(facts, out)):
        out = io.BytesIO()
        draw(out)
        assert out.getvalue().startswith(b"%PDF-")
        assert b"/URI" not in out.getvalue(), "nothing in it leads anywhere"
    with write_pack(facts, []) as file, ZipFile(file) as pack:
        kept = json.loads(pack.read("facts.json"))
    assert kept["claims"][0]["words"][0][1].replace("?", "") == (words * 3).replace("\ud800", "")


def test_what_no_font_has_is_named_and_never_dropped_in_silence() -> None:
    assert markup("שלום עולם, 😀!") == "[hebrew letters], [grinning face]!"
    assert markup("<a href='x'>") == "&lt;a href='x'&gt;"
    assert markup("a\u202eb\x00c") == "abc"
    assert markup("Łódź, Göteborg, Dvořák") == "Łódz, Göteborg, Dvorák"


@settings(max_examples=40)
@given(st.text(max_size=60) | st.text(st.sampled_from("<>&/\"'" + string.ascii_letters)))
def test_no_text_at_all_breaks_a_paragraph(text: str) -> None:
    shown = markup(text)
    assert "<" not in shown.replace("<font name=", "").replace("</font>", "").replace("<br/>", "")


def test_the_same_facts_give_the_same_bytes_and_another_day_only_its_date(app: Flask) -> None:
    claim_id = a_claim()
    with inside(shop_id("fern")):
        photos = photos_of(session.get_one(Claim, claim_id).order_id, claim_id)
        packs = []
        for _ in range(2):
            with write_pack(facts_of(claim_id), photos) as pack:
                packs.append(pack.read())
        assert packs[0] == packs[1]
        later = evidence_of_claim(session.get_one(Claim, claim_id), NOW + timedelta(days=1))
    assert {**later, "made_on": ""} == {**facts_of(claim_id), "made_on": ""}


def test_a_pack_holds_what_was_seen_said_sent_and_paid(app: Flask) -> None:
    facts = facts_of(a_claim())
    assert facts["about"]["title"] == "Evidence for claim 1001-C1"
    [parcel] = facts["parcels"]
    [scan] = parcel["scans"]
    assert scan["local"] == "17 Nov 2026, 06:00 (UTC-06:00)", "the carrier's own clock"
    assert "Signed for by A. NEIGHBOUR." in dict(parcel["told"])["Proof of delivery"]
    assert facts["claims"][0]["words"] == [("In the customer's words", "It came in two pieces.")]
    assert [line["claimed"] for line in facts["order"]["lines"]] == [0, 1]
    assert facts["messages"][0]["subject"] == "Order 1001 is there"
    assert facts["messages"][0]["text"] == "See http://fern.localhost:8000/… for more."
    assert facts["money"][0]["kind"] == "captured"


def test_staff_take_a_pack_and_the_audit_says_so(app: Flask) -> None:
    desk = joined(app)
    claim_id = a_claim()
    assert f"/staff/claims/{claim_id}/evidence.zip" in desk.get(f"/staff/claims/{claim_id}").text
    answer = desk.get(f"/staff/claims/{claim_id}/evidence.zip")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert "evidence-1001-C1.zip" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    content = io.BytesIO(answer.data)
    answer.close()
    with ZipFile(content) as pack:
        assert pack.testzip() is None
        assert pack.namelist() == ["summary.pdf", "facts.json", "photos/01.webp", "photos/02.webp"]
        assert b"/Subtype /Image" in pack.read("summary.pdf")
        assert "SECRETTOKEN" not in pack.read("facts.json").decode()
    with inside(shop_id("fern")):
        [entry] = session.query(AuditEntry).filter_by(act="evidence.taken")
        assert entry.subject == f"claim:{claim_id}"
        assert entry.who.startswith("staff:")


def test_thousands_of_scans_and_a_photo_that_is_gone_spoil_no_pack(
    app: Flask, tmp_path: Path
) -> None:
    claim_id = a_claim(photos=0)
    facts = facts_of(claim_id)
    facts["parcels"][0]["scans"] *= 2_000
    with write_pack(facts, [tmp_path / "gone.webp"]) as file, ZipFile(file) as pack:
        assert pack.namelist() == ["summary.pdf", "facts.json"]


def test_an_orders_pack_takes_every_claim_and_the_consent(app: Flask) -> None:
    claim_id = a_claim(photos=0)
    with inside(shop_id("fern")), time_machine.travel(NOW, tick=False):
        order = session.get_one(Order, session.get_one(Claim, claim_id).order_id)
        about = {"title": "Evidence", "kind": "dispute", "number": "dp_1", "told": []}
        facts = evidence_of_order(order, about, NOW)
    assert [claim["number"] for claim in facts["claims"]] == ["1001-C1"]
    assert facts["cover"] is None
    with inside(shop_id("fern")), writing():
        session.execute(update(Message).values(text="sealed with a key that is gone"))
    assert facts_of(claim_id)["messages"][0]["text"] == ""
