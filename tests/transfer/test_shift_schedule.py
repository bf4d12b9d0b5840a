from __future__ import annotations

import pytest

from cmkt.errors import ConfigError
from cmkt.transfer.shift import Shift
from cmkt.transfer.shift_schedule import ShiftChange


def test_amounts_move_on_a_line_and_stay_at_the_last() -> None:
    shift = Shift(tokens=0, changes=(ShiftChange(step=4, tokens=2), ShiftChange(step=6, tokens=-2)))
    assert [shift.at(step).tokens for step in range(8)] == [
        (0, 0),
        (1, 1),  # 0.5 is rounded away from zero
        (1, 1),
        (2, 2),
        (2, 2),
        (0, 0),
        (-2, -2),
        (-2, -2),
    ]


def test_both_ends_of_a_range_move() -> None:
    shift = Shift(frames=0, changes=(ShiftChange(step=10, frames=(-20, 30)),))
    assert [shift.at(step).frames for step in (0, 1, 5, 10, 99)] == [(0, 0), (-2, 3), (-10, 15), (-20, 30), (-20, 30)]


def test_what_a_change_leaves_out_goes_on_to_the_next_that_names_it() -> None:
    shift = Shift(tokens=1, changes=(ShiftChange(step=5, frames=8), ShiftChange(step=10, tokens=3)))
    assert [(shift.at(step).tokens, shift.at(step).frames) for step in (0, 5, 10)] == [
        ((1, 1), (0, 0)),
        ((2, 2), (8, 8)),
        ((3, 3), (8, 8)),
    ]


def test_a_jump_is_two_changes_a_step_apart() -> None:
    shift = Shift(tokens=0, changes=(ShiftChange(step=99, tokens=0), ShiftChange(step=100, tokens=2)))
    assert [shift.at(step).tokens for step in (98, 99, 100)] == [(0, 0), (0, 0), (2, 2)]


def test_a_shift_without_a_schedule_is_itself_at_any_step() -> None:
    shift = Shift(tokens=1, frames=(-3, 3))
    assert shift.at(0) is shift
    assert shift.at(10_000) is shift
    assert Shift(changes=(ShiftChange(step=1, tokens=1),)).at(5).changes == ()


@pytest.mark.parametrize(
    ("step", "amounts", "message"),
    [
        (0, {"tokens": 1}, "`step` of ShiftChange must be 1 or more, but is 0"),
        (5, {}, "`tokens` or `frames` of ShiftChange must be given"),
        (5, {"frames": (3, 1)}, "`frames` of ShiftChange must be .* low <= high"),
    ],
)
def test_changes_that_cannot_work_are_errors(step: int, amounts: dict[str, tuple[int, int]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ShiftChange(step=step, **amounts)


@pytest.mark.parametrize("steps", [(5, 5), (6, 5)])
def test_changes_out_of_order_are_an_error(steps: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="in order of their steps"):
        Shift(changes=tuple(ShiftChange(step=step, tokens=1) for step in steps))
