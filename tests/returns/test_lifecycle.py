"""The tables of lives: what may follow what, and how a refusal reads."""

import pytest

from returns.lifecycle import (
    ACCEPTANCE,
    CLAIM,
    EXCHANGE,
    PROTECTION,
    RECEPTION,
    RETURN,
    SETTLEMENT,
    Life,
    NotAllowed,
    after,
)

LIVES = [RETURN, EXCHANGE, CLAIM, RECEPTION, ACCEPTANCE, SETTLEMENT, PROTECTION]


@pytest.mark.parametrize(
    ("life", "states"),
    [
        (
            RETURN,
            "requested approved declined shipped arrived checked settled cancelled expired",
        ),
        (CLAIM, "waiting open needs_info approved declined paid cancelled"),
        (RECEPTION, "awaited received lost not_in_parcel"),
        (ACCEPTANCE, "pending accepted rejected"),
        (SETTLEMENT, "wanted performing done failed unknown"),
        (PROTECTION, "none active refused cancelled ended"),
    ],
)
def test_the_states_are_those_of_the_outside_surface(life: Life, states: str) -> None:
    assert life.states == set(states.split())


@pytest.mark.parametrize(
    ("move", "state", "end"),
    [
        ("approve", "requested", "approved"),
        ("decline", "requested", "declined"),
        ("ship", "expired", "shipped"),
        ("arrive", "approved", "arrived"),
        ("check", "arrived", "checked"),
        ("settle", "checked", "settled"),
        ("unsettle", "settled", "checked"),
        ("cancel", "approved", "cancelled"),
    ],
)
def test_a_return_moves_as_its_table_says(move: str, state: str, end: str) -> None:
    assert after(move, state) == end


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.what)
def test_what_is_not_in_the_table_does_not_happen(life: Life) -> None:
    for state in life.states:
        for move, (starts, end) in life.moves.items():
            if state in starts:
                assert after(move, state, life) == end
                assert move in life.allowed(state)
            else:
                with pytest.raises(NotAllowed, match="possible from"):
                    after(move, state, life)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.what)
def test_every_state_can_be_reached(life: Life) -> None:
    reached = {life.start}
    for _ in life.moves:
        reached |= {end for starts, end in life.moves.values() if starts & reached}
    assert reached == life.states


def test_money_goes_out_once_a_return() -> None:
    assert RETURN.allowed("cancelled") == ()
    assert RETURN.allowed("settled") == ("unsettle",)
    assert SETTLEMENT.allowed("unknown") == ("succeed", "fail")


def test_a_refusal_says_what_holds_and_what_would_do() -> None:
    with pytest.raises(NotAllowed) as refused:
        after("approve", "needs_info", RETURN)
    assert str(refused.value) == (
        "This is needs info now, so it cannot become approved. That is possible from: requested."
    )
    with pytest.raises(NotAllowed, match="no move 'fly' for a return"):
        after("fly", "requested")
