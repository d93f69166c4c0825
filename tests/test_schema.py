"""What the schema itself says about shops: keys, indexes and what is unique."""

from __future__ import annotations

from tests.test_tenancy import TABLES


def test_keys_between_a_shops_rows_include_the_shop() -> None:
    for table in TABLES:
        for key in table.foreign_key_constraints:
            if key.referred_table in TABLES:
                assert "shop_id" in key.column_keys, (table.name, key.column_keys)
                pairs = {(e.parent.name, e.column.name) for e in key.elements}
                assert ("shop_id", "shop_id") in pairs, (table.name, pairs)
            else:
                assert key.referred_table.name == "shop"


def test_a_shops_rows_are_found_by_the_shop() -> None:
    """Each table has an index, a key or a unique constraint that begins with the shop."""
    for table in TABLES:
        begins = [index.columns[0].name for index in table.indexes]
        begins += [next(iter(u.columns)).name for u in table.constraints if len(u.columns)]
        assert "shop_id" in begins, table.name


def test_what_is_unique_for_a_shop_does_not_bind_another() -> None:
    """A unique key without the shop is random, or one of ours: an id, a token."""
    ours = ("id", "_id", "_digest", "key", "reference", "uniquifier")
    for table in TABLES:
        for unique in (c for c in table.constraints if type(c).__name__ == "UniqueConstraint"):
            names = [column.name for column in unique.columns]
            assert "shop_id" in names or names[0].endswith(ours), (table.name, names)
