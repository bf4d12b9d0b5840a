from __future__ import annotations

import torch
from torch import Tensor

from cmkt.models.whole_utterance import WholeUtterance, silent_after
from cmkt.spectral.stft import STFT


class Unchanged(WholeUtterance):
    """Gives the spectrum back and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.stft = STFT(8, 4)
        self.given: list[tuple[Tensor, Tensor | None]] = []

    def enhance_spectrum(self, spectrum: Tensor, mask: Tensor | None) -> Tensor:
        self.given.append((spectrum, mask))
        return spectrum


def test_samples_in_the_padding_become_zero_before_anything_is_analysed() -> None:
    noisy = torch.arange(1.0, 7.0).expand(2, 6)
    assert silent_after(noisy, torch.tensor([6, 2])).tolist() == [[1, 2, 3, 4, 5, 6], [1, 2, 0, 0, 0, 0]]
    enhanced = Unchanged()(noisy, torch.tensor([6, 2]))
    torch.testing.assert_close(enhanced, silent_after(noisy, torch.tensor([6, 2])))


def test_the_mask_says_which_frames_are_those_of_each_utterance_alone() -> None:
    model, noisy = Unchanged(), torch.ones(2, 21)
    model(noisy, torch.tensor([21, 5]))
    model(noisy[1:, :5])
    (spectrum, mask), (alone, no_mask) = model.given
    assert mask is not None
    assert no_mask is None
    assert mask.sum(dim=1).tolist() == [spectrum.shape[1], alone.shape[1]]
    torch.testing.assert_close(spectrum[1, mask[1]], alone[0])
    assert spectrum[1, ~mask[1]].abs().max() < 1e-6
