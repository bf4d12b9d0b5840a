from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.transfer.alignment import AlignmentSpec
from cmkt.transfer.objective import transfer_loss
from cmkt.transfer.probe import Pair, probe
from cmkt.transfer.shift import Shift
from cmkt.transfer.sinkhorn import Annealing, Sinkhorn, SinkhornAlignment
from cmkt.types import Frames, Tokens


def centre_of_mass(matrix: torch.Tensor) -> torch.Tensor:
    return (matrix * torch.arange(matrix.shape[-1])).sum(dim=-1)


def test_tokens_take_their_frames_in_the_order_of_time() -> None:
    frames = Frames(torch.randn(1, 200, 12), torch.ones(1, 200, dtype=torch.bool), 0.02)
    tokens = Tokens(torch.randn(1, 4, 6), torch.ones(1, 4, dtype=torch.bool))
    matrix = Sinkhorn(entropy=1e6, prior_width=0.05, iterations=200).build(12, 6, seed=0)(frames, tokens).matrix
    assert torch.allclose(centre_of_mass(matrix), torch.tensor([[24.5, 74.5, 124.5, 174.5]]), atol=2.0)


def test_shifting_the_frames_by_10_moves_the_centre_of_mass_by_10() -> None:
    frames = Frames(torch.randn(1, 200, 12), torch.ones(1, 200, dtype=torch.bool), 0.02)
    tokens = Tokens(torch.randn(1, 9, 6), torch.ones(1, 9, dtype=torch.bool))
    plain, moved = (
        Sinkhorn(shift=Shift(frames=d), entropy=1e6, prior_width=0.02, iterations=1).build(12, 6, seed=0)(
            frames, tokens
        )
        for d in (0, 10)
    )
    middle = centre_of_mass(moved.matrix - plain.matrix)[0, 3:6]
    assert torch.allclose(middle, torch.full((3,), -10.0), atol=1.0)


def test_query_of_the_token_before_supervises_the_target(frames: Frames, tokens: Tokens) -> None:
    plain, shifted = (Sinkhorn(shift=Shift(tokens=k)).build(12, 6, seed=0)(frames, tokens) for k in (0, 1))
    assert shifted.counted.sum(dim=1).tolist() == [7, 2, 4]
    for row, count in enumerate((8, 3, 5)):
        assert torch.allclose(shifted.matrix[row, 1:count], plain.matrix[row, : count - 1])


def test_it_learns_to_read_what_frames_say_of_their_tokens() -> None:
    """Tokens last unequally long, and frames hold 12 of their 16 dimensions."""
    generator = torch.Generator().manual_seed(0)
    spell = torch.randn(16, 12, generator=generator)

    def utterance() -> Pair:
        tokens = torch.randn(8, 16, generator=generator)
        frames_of = torch.randint(3, 9, (8,), generator=generator)
        return (tokens @ spell).repeat_interleave(frames_of, dim=0), 0.05, tokens

    train, held_out = ([utterance() for _ in range(count)] for count in (96, 24))
    assert probe(train, held_out, Sinkhorn(), steps=400, seed=0).loss < 0.35


def annealed(steps: int) -> SinkhornAlignment:
    return Sinkhorn(entropy=0.1, annealing=Annealing(start=1.6, steps=steps)).build(12, 6, seed=0)


def test_entropy_comes_down_geometrically_over_training_passes(frames: Frames, tokens: Tokens) -> None:
    module = annealed(4)
    seen = []
    for _ in range(6):
        seen.append(float(module.entropy))
        module(frames, tokens)
    assert seen == pytest.approx([1.6, 0.8, 0.4, 0.2, 0.1, 0.1])


def test_only_training_passes_anneal_and_a_resumed_run_goes_on(frames: Frames, tokens: Tokens) -> None:
    module = annealed(4)
    module(frames, tokens)
    with torch.no_grad():
        module(frames, tokens)
    module.eval()(frames, tokens)
    assert float(module.entropy) == pytest.approx(0.8)
    resumed = annealed(4)
    resumed.load_state_dict(copy.deepcopy(module.state_dict()))
    assert float(resumed.entropy) == pytest.approx(0.8)


def test_without_annealing_the_entropy_stays(frames: Frames, tokens: Tokens) -> None:
    module = Sinkhorn(entropy=0.3).build(12, 6, seed=0)
    module(frames, tokens)
    assert float(module.entropy) == pytest.approx(0.3)


def test_a_blurred_plan_is_blurred_and_a_sharp_one_sharp(frames: Frames, tokens: Tokens) -> None:
    largest = [
        float(Sinkhorn(entropy=entropy, prior_width=10.0).build(12, 6, seed=0)(frames, tokens).matrix.max())
        for entropy in (10.0, 0.01)
    ]
    assert largest[0] < 0.1
    assert largest[1] > 0.4


def test_the_plan_is_detached_and_the_frames_still_learn(frames: Frames, tokens: Tokens) -> None:
    values = frames.values.clone().requires_grad_()
    aligned = Sinkhorn().build(12, 6, seed=0)(replace(frames, values=values), tokens)
    assert not aligned.matrix.requires_grad
    transfer_loss(aligned, "mean").backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert values.grad[frames.mask].abs().sum() > 0


@pytest.mark.parametrize("bad", [{"entropy": 0.0}, {"prior_width": -1.0}, {"iterations": 0}])
def test_numbers_that_cannot_work_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"`{next(iter(bad))}` of Sinkhorn must be positive"):
        Sinkhorn(**bad)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Annealing must be positive"):
        Annealing(start=0.0, steps=3)


def test_it_is_a_specification() -> None:
    assert isinstance(Sinkhorn(), AlignmentSpec)
    assert Sinkhorn(annealing=Annealing(1.0, 5)) == Sinkhorn(annealing=Annealing(1.0, 5))
