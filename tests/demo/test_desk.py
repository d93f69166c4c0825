"""The rehearsal's returns: every outcome is listed, and the desk can be entered."""

from __future__ import annotations

import re

from tests.demo.conftest import Demo, until

INVITATION = re.compile(r"http://(fern|volta)\.localhost:\d+(/staff/invitation/\S+)")
OUTCOMES = ("Approved at once", "Exchange it", "A person decides", "A photo is asked for",
            "Keep it", "a final sale", "Too late", "Not delivered yet", "to be counted",
            "Exchanged at once", "waits for the difference", "Covered and paid at once",
            "A photo is needed", "Too early", "Without cover", "waits until its day",
            "not accepted")  # fmt: skip


def test_the_demo_page_lists_every_outcome_for_both_brands(demo: Demo) -> None:
    page = demo.get("/demo").text
    assert [words for words in OUTCOMES if page.count(words) != 2] == []


def test_the_desk_is_entered_by_the_invitation_that_was_printed(demo: Demo) -> None:
    doors = INVITATION.findall(demo.said.read_text())
    assert {brand for brand, _ in doors} == {"fern", "volta"}
    for brand, path in doors:
        assert demo.get(path, f"{brand}.localhost").status_code == 200
        assert path in demo.get("/demo").text


def test_a_delivered_order_offers_a_return(demo: Demo) -> None:
    path = re.search(r'href="http://fern[^/]+(/t/[^"]+)"><b>1061<', demo.get("/demo").text)
    assert path
    until(lambda: "Start a return" in demo.get(path[1], "fern.localhost").text)
    assert "Seagrass basket" in demo.get(f"{path[1]}/return", "fern.localhost").text
