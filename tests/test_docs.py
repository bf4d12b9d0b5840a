"""The examples of docs/attach.md run as they stand there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import cmkt

PAGE = Path(__file__).resolve().parents[1] / "docs" / "attach.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


class Words:
    """A vector for each word, made of its letters."""

    width = 6
    identity = "words"

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        return [torch.tensor([[float(ord(word[0])) % n for n in range(2, 8)] for word in t.split()]) for t in texts]


class Features(nn.Module):
    def forward(self, hidden: Tensor) -> dict[str, Tensor]:
        return {"hidden": hidden}


class Waveform(nn.Module):
    sample_rate = 8000

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.lstm = nn.Conv1d(1, 12, 16, 16), nn.LSTM(12, 12, batch_first=True)
        self.features, self.out = Features(), nn.ConvTranspose1d(12, 1, 16, 16)

    def forward(self, noisy: Tensor) -> Tensor:
        hidden = self.features(self.conv(noisy[:, None]))["hidden"]
        estimate: Tensor = self.out(self.lstm(hidden.transpose(1, 2))[0].transpose(1, 2))[:, 0]
        return nn.functional.pad(estimate, (0, noisy.shape[1] - estimate.shape[1]))


class Spectrogram(nn.Module):
    """(B, bins, frames) complex to the same."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.lstm, self.mask = nn.LSTM(257, width, batch_first=True), nn.Linear(width, 257)

    def forward(self, spectrum: Tensor) -> Tensor:
        hidden = self.lstm(spectrum.abs().transpose(1, 2))[0]
        return spectrum * torch.sigmoid(self.mask(hidden)).transpose(1, 2)


class Many(nn.Module):
    """(B, 1, T) to a dict of (B, 1, fewer)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.out = nn.Conv1d(1, 16, 20, 20), nn.ConvTranspose1d(16, 1, 20, 20)

    def forward(self, noisy: Tensor) -> dict[str, Tensor]:
        return {"estimate": self.out(self.lstm(noisy)), "noise": noisy}


def run(example: str, **names: Any) -> dict[str, Any]:
    scope: dict[str, Any] = {"cmkt": cmkt, "torch": torch, "nn": nn, **names}
    exec(example, scope)
    return scope


def check_trains(task: nn.Module) -> None:
    noisy = torch.randn(2, 4001)
    losses = task(noisy, clean=noisy, texts=["a few words", None])
    losses.total.backward()
    assert losses.tokens > 0
    assert all(p.grad is not None for p in task.model.parameters())  # type: ignore[union-attr]


@pytest.mark.parametrize("number", [0, 1])
def test_examples_of_attaching_train(number: int) -> None:
    torch.manual_seed(0)
    check_trains(run(EXAMPLES[number], model=Waveform(), teacher=Words())["task"])


@pytest.mark.parametrize(
    ("number", "name", "net", "layout"),
    [(2, "FromSpectrogram", Spectrogram, "b t c"), (3, "OneOfMany", Many, "b c t")],
)
def test_adapters_have_fewer_than_ten_lines_and_train(
    number: int, name: str, net: type[nn.Module], layout: str
) -> None:
    torch.manual_seed(0)
    example = EXAMPLES[number]
    assert len([line for line in example.splitlines() if line.strip()]) < 10
    own = net()
    keys = list(own.state_dict())
    wrapped = run(example)[name](own)
    task = cmkt.attach(wrapped, layer="lstm", layout=layout, teacher=Words(), sample_rate=8000)
    check_trains(task)
    assert task.detach().net is own
    assert list(own.state_dict()) == keys


def test_the_adapter_for_the_command_line_is_made_of_numbers_and_trains() -> None:
    torch.manual_seed(0)
    adapter = run(EXAMPLES[2])["FromSpectrogram"]
    mine = run(EXAMPLES[4], FromSpectrogram=adapter, Net=Spectrogram)["Mine"](width=16)
    check_trains(cmkt.attach(mine, layer="lstm", layout="b t c", teacher=Words()))


def test_every_example_is_tried() -> None:
    assert len(EXAMPLES) == 5
