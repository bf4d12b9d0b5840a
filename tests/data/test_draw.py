"""Draws depend on (seed, epoch, utterance id) and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from cmkt.data.draw import generator, share


def test_same_triple_gives_same_numbers() -> None:
    assert (generator(1, 2, "a").random(5) == generator(1, 2, "a").random(5)).all()


@pytest.mark.parametrize("other", [(2, 2, "a"), (1, 3, "a"), (1, 2, "b"), (12, 2, "a"), (1, 22, "a")])
def test_any_other_triple_gives_other_numbers(other: tuple[int, int, str]) -> None:
    assert (generator(1, 2, "a").random(5) != generator(*other).random(5)).all()


def test_numbers_stay_the_same_across_versions_of_this_package() -> None:
    assert generator(0, 0, "utterance").integers(2**32) == generator(0, 0, "utterance").integers(2**32)
    assert float(generator(0, 0, "utterance").random()) == pytest.approx(GOLDEN, abs=1e-15)


def test_share_is_uniform_and_fixed() -> None:
    shares = np.array([share(f"id{number}") for number in range(4000)])
    assert ((shares >= 0) & (shares < 1)).all()
    assert np.mean(shares < 0.9) == pytest.approx(0.9, abs=0.02)
    assert share("id7") == share("id7") != share("id7", seed=1)


GOLDEN = 0.49824924731023323
