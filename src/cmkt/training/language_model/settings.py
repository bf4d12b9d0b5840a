"""What `cmkt train-lm` can be told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

from cmkt.audio.write import write_text
from cmkt.errors import ConfigError

SETTINGS_FILE = "settings.json"


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """Of the text, the models and their training.

    max_tokens: of a line with its two special ones, longer lines are cut; min_count: how often a character must occur
    to have a token; held_out_share: of the text, in blocks of neighbouring lines, where no held-out file is given.
    width, layers, heads, intermediate: of both models. softmax_characters: in most of its
    training, the decoder tells the next character from so many of the most frequent, those of the batch and a sample of
    the rest, which costs a CPU much less; 0 for all characters always. mask_share: of the characters, which the
    encoder must guess.
    batch_tokens: padding included. decoder_epochs, encoder_epochs: passes over the text. learning_rate: at its peak.

    Raises: ConfigError for a number that cannot work.
    """

    max_tokens: int = 128
    min_count: int = 3
    held_out_share: float = 0.03
    width: int = 256
    layers: int = 3
    heads: int = 4
    intermediate: int = 640
    softmax_characters: int = 1200
    mask_share: float = 0.25
    batch_tokens: int = 2048
    decoder_epochs: float = 1.0
    encoder_epochs: float = 1.0
    learning_rate: float = 3e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("min_count", "width", "layers", "heads", "intermediate", "batch_tokens"):
            if getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must be at least 1, but is {getattr(self, name)} instead.")
        for name in ("held_out_share", "mask_share"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must lie between 0 and 1, but is {getattr(self, name)} instead.")
        for name in ("decoder_epochs", "encoder_epochs", "learning_rate"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigError(f"`{name}` must be above 0, but is {getattr(self, name)} instead.")
        if self.softmax_characters < 0:
            raise ConfigError(f"`softmax_characters` must be 0 or more, but is {self.softmax_characters} instead.")
        if self.max_tokens < 8:
            raise ConfigError(f"`max_tokens` must be at least 8, but is {self.max_tokens} instead.")
        if self.batch_tokens < self.max_tokens:
            raise ConfigError(
                f"`batch_tokens` must be at least `max_tokens`, {self.max_tokens}, but is {self.batch_tokens} instead."
            )
        if self.width % (2 * self.heads):
            raise ConfigError(f"`width` must be a multiple of 2 x {self.heads} heads, but is {self.width} instead.")


def check_same_settings(settings: Settings, output: Path) -> None:
    """Checks that they are those of the run that is in the folder, if any.

    Raises: ConfigError, naming what differs: a run can only go on as it began.
    """
    path = output / SETTINGS_FILE
    if not path.is_file():
        return
    now, before = asdict(settings), json.loads(path.read_text(encoding="utf-8"))
    different = sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
    if different:
        changes = ", ".join(f"{name} was {before.get(name)} and is {now.get(name)}" for name in different)
        raise ConfigError(f"`--output` must be a new folder or of the same settings, but in {output} {changes}.")


def write_settings(settings: Settings, output: Path) -> None:
    """Keeps them in the folder of a run that begins."""
    write_text(output / SETTINGS_FILE, json.dumps(asdict(settings), indent=2) + "\n")
