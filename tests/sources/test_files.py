"""Files of orders: what spreadsheets and programs really write, read strictly."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.sources.entry import Entry, Unreadable, each_once
from portal.sources.files import FORMATS, format_of
from portal.sources.sentences import Invalid
from portal.sources.whole import check_new

HEADER = "number,currency,sku,title,quantity,unit_price"


def read(raw: bytes | str, name: str = "csv") -> list[Entry]:
    data = raw.encode() if isinstance(raw, str) else raw
    return list(each_once(FORMATS[name].read(io.BytesIO(data))))


def one(raw: bytes | str, name: str = "csv") -> dict[str, Any]:
    [entry] = read(raw, name)
    assert entry.errors == ()
    assert entry.document is not None
    return entry.document.model_dump(exclude_unset=True)


def told(raw: bytes | str, name: str = "csv") -> list[tuple[int, str, str]]:
    """Everything that is wrong: row, column and message."""
    try:
        entries = read(raw, name)
    except Unreadable as error:
        return [(each.row, each.column, each.message) for each in error.errors]
    return [(e.row, e.column, e.message) for entry in entries for e in entry.errors]


# CSV


@pytest.mark.parametrize(
    "raw",
    [
        f"{HEADER}\n1,EUR,A,Lampe ä,2,19.90\n".encode(),
        b"\xef\xbb\xbf" + f"{HEADER}\n1,EUR,A,Lampe ä,2,19.90\n".encode(),
        f"{HEADER}\n1,EUR,A,Lampe ä,2,19.90\n".replace("\n", "\r\n").encode(),
        f"{HEADER}\n1,EUR,A,Lampe ä,2,19.90\n".replace(",", ";").encode(),
        f"{HEADER}\n1,EUR,A,Lampe ä,2,19.90\n".replace(",", "\t").encode(),
        f"{HEADER}\n1,EUR,A,Lampe ä,2,19.90".encode(),
        "\n\nNumber, Currency ,SKU,Title,Quantity,Unit price\n\n1,EUR,A, Lampe ä ,2,19.90\n"
        "\n,,,,,\n".encode(),
    ],
    ids=["plain", "mark", "crlf", "semicolon", "tab", "no last line end", "blank lines"],
)
def test_the_spellings_of_one_file_say_the_same(raw: bytes) -> None:
    line = {"sku": "A", "title": "Lampe ä", "quantity": 2, "unit_price_minor": 1990}
    assert one(raw) == {"number": "1", "currency": "EUR", "lines": [line]}


def test_the_rows_of_one_order_are_its_lines_and_share_its_parcels() -> None:
    found = one(
        f"{HEADER},carrier,tracking_number,email\n"
        "1,EUR,A,Lamp,2,1.00,UPS,1Z999AA10123456784,ann@example.com\n"
        "1,,B,Bulb,1,2.00,ups,1Z 999AA10123456784,\n"
        "#1,EUR,A,Lamp,1,1.00,DHL,JJD0001234567,\n"
    )
    assert [line["sku"] for line in found["lines"]] == ["A", "B", "A"]
    first, second = found["shipments"]
    assert first["lines"] == [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]
    assert second["lines"] == [{"sku": "A", "quantity": 1}]


def test_amounts_come_in_either_unit_by_the_currencys_decimals() -> None:
    yen = one("number,currency,sku,quantity,unit_price\n1,JPY,A,1,1990\n")
    assert yen["lines"][0]["unit_price_minor"] == 1990
    dinar = one("number,currency,sku,quantity,unit_price\n1,KWD,A,1,1.5\n")
    assert dinar["lines"][0]["unit_price_minor"] == 1500
    minor = one("number,currency,sku,quantity,unit_price_minor\n1,EUR,A,1,1990\n")
    assert minor["lines"][0]["unit_price_minor"] == 1990


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="001"', "001"),
        ('"=""001"""', "001"),
        ("'001", "001"),
        ("'=1+1", "=1+1"),
        ("=1+1", "=1+1"),
        ("@cmd", "@cmd"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ('"two\nlines"', "two lines"),
        ('"a ""quoted"" word"', 'a "quoted" word'),
    ],
)
def test_what_spreadsheets_do_to_text_is_undone_and_nothing_else(cell: str, text: str) -> None:
    assert one(f"{HEADER}\n1,EUR,A,{cell},1,1\n")["lines"][0]["title"] == text


def test_a_quoted_line_break_does_not_move_the_rows_behind_it() -> None:
    wrong = told(f'{HEADER}\n1,EUR,A,"two\nlines",1,1\n2,EUR,A,Lamp,none,1\n')
    assert [(row, column) for row, column, _ in wrong] == [(3, "quantity")]


@pytest.mark.parametrize(
    ("raw", "row", "column", "said"),
    [
        ("", 1, "", "The file is empty."),
        (" \n\n", 1, "", "The file is empty."),
        (
            f"{HEADER}\n1,EUR,A,L\xe4,1,1\n".encode("latin-1"),
            2,
            "",
            "is not UTF-8 here (byte 0xe4)",
        ),
        ("numb\0er\n", 1, "", "holds NUL characters"),
        ("number\n1\n".encode("utf-16"), 1, "", "The file is UTF-16"),
        (b"PK\x03\x04\x14\x00", 1, "", "This is a workbook, not a CSV file."),
        ("number,emial\n1,x\n", 1, "emial", "Did you mean email?"),
        ("Order number,email\n1,x\n", 1, "Order number", "Did you mean number?"),
        ("number,colour of the moon\n", 1, "colour of the moon", "Correct its name, or delete"),
        ("email\nx\n", 1, "number", "The column number is missing"),
        ("number,number\n1,2\n", 1, "number", "says the same as number before it"),
        ("number,unit_price,unit_price_minor\n", 1, "unit_price_minor", "the same as unit_price"),
        ("number,email\n1,a,b\n", 2, "", "This row has 3 cells, the header 2."),
        ("number,email\n1\n", 2, "", "This row has 1 cells, the header 2."),
        ('number,email\n1,"never closed\n', 2, "", "A quote is opened and never closed"),
        ('number,email\n1,"a"b\n', 2, "", "This row is not CSV"),
        ("number,email\n,x@example.com\n", 2, "number", "This row has no order number."),
        (f"{HEADER}\n1,EUR,A,L,1,1.234\n", 2, "unit_price", "more decimals than EUR has: 2."),
        (f"{HEADER}\n1,,A,L,1,1.20\n", 2, "unit_price", "Fill in the column currency."),
        (f"{HEADER}\n1,EUR,A,L,1,€5\n", 2, "unit_price", "is no amount."),
        (f"{HEADER}\n1,EUR,A,L,-1,5\n", 2, "quantity", "is no whole number."),
        (f"{HEADER}\n1,EUR,A,L,,5\n", 2, "quantity", "This field is needed."),
        (f"{HEADER}\n1,Euro,A,L,1,\n", 2, "currency", "longer than 3"),
        ("number,final_sale\n1,maybe\n", 2, "final_sale", "neither true nor false"),
        ("number,tracking_number\n1,9.40E+21\n", 2, "tracking_number", "has shortened this"),
        ("number,carrier\n1,UPS\n", 2, "tracking_number", "A parcel needs its tracking_number."),
        ("number,email\n1,a@example.com\n1,b@example.com\n", 3, "email", "from email in row 2."),
        ("number\n1\n2\n#1\n", 4, "number", "stands in this file before, in row 2."),
        ("number,shipping_country\n1,Germany\n", 2, "shipping_country", "longer than 2"),
        ("number,image_url\n1,nowhere\n", 2, "image_url", "This is no web address."),
    ],
)
def test_what_is_wrong_is_named_by_row_column_and_remedy(
    raw: bytes | str, row: int, column: str, said: str
) -> None:
    wrong = told(raw)
    assert (row, column) in {(each[0], each[1]) for each in wrong}
    assert any(said in message for _, _, message in wrong), wrong


def test_all_that_is_wrong_with_an_order_is_told_at_once() -> None:
    wrong = told("number,email,placed_at,sku,quantity\n1,nobody,yesterday,A,none\n")
    assert {column for _, column, _ in wrong} == {"email", "placed_at", "quantity"}


def test_an_order_of_far_too_many_rows_is_refused_without_being_kept() -> None:
    [entry] = read("number,sku,quantity\n" + "1,A,1\n" * 3000)
    assert any("more than 1000 rows" in error.message for error in entry.errors)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_at_all_bring_a_reader_down(raw: bytes) -> None:
    for name in FORMATS:
        for each in told(b"number,email\n" + raw if name == "csv" else raw, name):
            assert each[2]


# JSON


def test_a_list_longer_than_what_is_read_at_once_comes_whole() -> None:
    orders = [{"number": str(n), "email": f"ä{n}@example.com"} for n in range(5000)]
    for text in (json.dumps(orders, ensure_ascii=False), json.dumps(orders, indent=3)):
        found = read(text, "json")
        assert [entry.number for entry in found] == [order["number"] for order in orders]
        assert all(entry.document for entry in found)


@pytest.mark.parametrize(
    ("raw", "row", "column", "said"),
    [
        ("", 1, "", "The file is empty."),
        ("[]]", 0, "", "Something stands behind the end"),
        ('[{"number":"1"}', 1, "", "the file was cut off"),
        ('[{"number":"1"},{"numb', 2, "", "This is not JSON"),
        ('[{"number":"1"} {"number":"2"}]', 1, "", "Put a comma between two orders."),
        ('[{"number":1}]', 1, "number", "This must be text."),
        ("[1]", 1, "", "An order must be an object"),
        ('{"number":"1","number":"2"}', 1, "", "a key stands twice"),
        ('{"number":"1","captured":NaN}', 1, "", "NaN is not JSON"),
        ('{"number":"1"}\n\n{"number":"1"}\n', 3, "number", "stands in this file before, in row 1"),
        ('{"number":"1"}\n{oops}\n{"number":"2"}', 2, "", "This is not JSON"),
        ("[" * 100_000, 1, "", ""),
        ('{"number":"1","lines":[{"sku":"A"}]}', 1, "lines.0.quantity", "This field is needed."),
    ],
)
def test_json_that_cannot_be_taken_says_where_and_why(
    raw: str, row: int, column: str, said: str
) -> None:
    wrong = told(raw, "json")
    assert wrong[0][:2] == (row, column)
    assert said in wrong[0][2]


def test_a_bad_line_does_not_take_the_good_ones_with_it() -> None:
    found = read('{"number":"1"}\noops\n{"number":"2"}\n', "json")
    assert [entry.number for entry in found if entry.document] == ["1", "2"]


# What the parts of a new order must have in common


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"lines": [{"sku": "A", "quantity": 1}]}, "currency"),
        (
            {
                "currency": "EUR",
                "discount_minor": 5,
                "lines": [{"sku": "A", "quantity": 1, "unit_price_minor": 4}],
            },
            "discount_minor",
        ),
        (
            {
                "currency": "EUR",
                "lines": [{"sku": "A", "quantity": 1}],
                "shipments": [{"tracking_number": "1", "lines": [{"sku": "A", "quantity": 2}]}],
            },
            "shipments.0.lines.0.quantity",
        ),
        (
            {"shipments": [{"tracking_number": "1", "lines": [{"sku": "B", "quantity": 1}]}]},
            "shipments.0.lines.0.sku",
        ),
    ],
)
def test_parts_that_do_not_fit_each_other_are_found_without_a_database(
    order: dict[str, Any], field: str
) -> None:
    [entry] = read(json.dumps({"number": "1", **order}), "json")
    assert entry.document is not None
    with pytest.raises(Invalid) as caught:
        check_new(entry.document)
    assert [error["field"] for error in caught.value.errors] == [field]


def test_an_ending_tells_the_format(tmp_path: Any) -> None:
    assert format_of(tmp_path / "a.CSV") is FORMATS["csv"]
    assert format_of(tmp_path / "a.jsonl") is FORMATS["json"]
    assert format_of(tmp_path / "a.xlsx") is None
