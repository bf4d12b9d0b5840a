"""A foreign model of torch's own modules, a teacher that knows every text by heart, and sentences to be probed."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from cmkt.transfer.probe import Pair
from cmkt.types import Frames, Tokens

SAMPLE_RATE = 8000
HOP_SAMPLES = 16
FRAME_WIDTH = 12
TOKEN_WIDTH = 6


class MemoryTeacher:
    """One fixed vector for each word."""

    width = TOKEN_WIDTH
    identity = "memory"

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        return [torch.stack([self._vector(word) for word in text.split()]) for text in texts]

    def _vector(self, word: str) -> Tensor:
        return torch.randn(TOKEN_WIDTH, generator=torch.Generator().manual_seed(zlib.crc32(word.encode())))


class WaveformError(nn.Module):
    """Mean absolute error of waveforms, without regard to lengths."""

    def forward(self, *, estimate: Tensor, reference: Tensor, lengths: Tensor) -> Tensor:
        return (estimate - reference).abs().mean()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def teacher() -> MemoryTeacher:
    return MemoryTeacher()


@pytest.fixture
def loss() -> nn.Module:
    return WaveformError()


@pytest.fixture
def make_net() -> Callable[[], nn.Sequential]:
    """A convolutional enhancer of torch's own classes, so that it pickles; `encoder.2` gives (B, 12, F)."""

    def make() -> nn.Sequential:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            encoder = nn.Sequential(
                nn.Conv1d(1, FRAME_WIDTH, HOP_SAMPLES, stride=HOP_SAMPLES),
                nn.Tanh(),
                nn.Conv1d(FRAME_WIDTH, FRAME_WIDTH, 3, padding=1),
            )
            return nn.Sequential(
                OrderedDict(
                    split=nn.Unflatten(1, (1, -1)),
                    encoder=encoder,
                    dropout=nn.Dropout(0.1),
                    decoder=nn.ConvTranspose1d(FRAME_WIDTH, 1, HOP_SAMPLES, stride=HOP_SAMPLES),
                    join=nn.Flatten(1),
                )
            )

    return make


@pytest.fixture
def net(make_net: Callable[[], nn.Sequential]) -> nn.Sequential:
    return make_net()


@pytest.fixture
def frames() -> Frames:
    """Three utterances of 40, 30 and 20 frames."""
    mask = torch.arange(40) < torch.tensor([[40], [30], [20]])
    values = torch.randn(3, 40, FRAME_WIDTH, generator=torch.Generator().manual_seed(1))
    return Frames(values=values, mask=mask, seconds_per_frame=0.02)


@pytest.fixture
def tokens() -> Tokens:
    """Three sentences of 8, 3 and 5 tokens."""
    mask = torch.arange(8) < torch.tensor([[8], [3], [5]])
    values = torch.randn(3, 8, TOKEN_WIDTH, generator=torch.Generator().manual_seed(2))
    return Tokens(values=values * mask[..., None], mask=mask)


def spoken_pairs(utterances: int, seed: int) -> list[Pair]:
    """Sentences in which every token is heard for four frames."""
    generator = torch.Generator().manual_seed(seed)
    spell = torch.randn(8, 12, generator=torch.Generator().manual_seed(0))
    pairs: list[Pair] = []
    for _ in range(utterances):
        tokens = torch.randn(int(torch.randint(4, 9, (1,), generator=generator)), 8, generator=generator)
        pairs.append(((tokens @ spell).repeat_interleave(4, dim=0), 0.05, tokens))
    return pairs
