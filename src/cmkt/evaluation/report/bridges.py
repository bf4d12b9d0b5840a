"""The bridge of a transfer run, as its checkpoint kept it: the alignment that training would have thrown away.

Shapes: audio (T,), N tokens, F frames.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, final

import numpy as np

from cmkt.errors import CheckpointError, CmktError, ConfigError, DataError
from cmkt.inference.load import load_torch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cmkt.evaluation.frames import FrameSource
    from cmkt.types import FloatArray, Teacher

CONFIG: Final = "config.yaml"
CHECKPOINTS: Final = ("checkpoints/best.ckpt", "checkpoints/last.ckpt")
PREFIX: Final = "task.alignment."


class _Built(Protocol):
    """What a configuration names as an alignment, as jsonargparse must be told."""

    def build(self, frame_width: int, token_width: int, *, seed: int) -> Any: ...


@final
@dataclass(frozen=True, slots=True)
class AttentionMap:
    """Which frames each token was read from: weights (N, F), rows sum to 1; the tokens as their teacher spells them."""

    weights: FloatArray
    tokens: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class RunBridge:
    """A run's enhancer up to its tapped layer, its teacher, and its alignment in evaluation mode."""

    layer: str
    alignment_name: str
    sample_rate: int
    source: FrameSource
    teacher: Teacher
    alignment: nn.Module

    def attend(self, noisy: FloatArray, text: str) -> AttentionMap:
        """The alignment of a transcript with noisy speech at `sample_rate`.

        A shift that is drawn is drawn once, always the same. Raises: TextError for a text without tokens, StoreError
        where the teacher is a store that does not know the text.
        """
        import torch

        from cmkt.data.testset import TestMixture
        from cmkt.types import Frames, Tokens

        samples = np.asarray(noisy, dtype=np.float32)
        frames = self.source.frames(TestMixture(id="", snr_db=0.0, noisy=samples, clean=samples, metadata={}))
        vectors = self.teacher.embed([text])[0].float()
        with torch.no_grad():
            aligned = self.alignment(
                Frames(frames[None], torch.ones(1, len(frames), dtype=torch.bool), self.source.seconds_per_frame),
                Tokens(vectors[None], torch.ones(1, len(vectors), dtype=torch.bool)),
                torch.Generator().manual_seed(0),
            )
        return AttentionMap(aligned.matrix[0].double().numpy(), _spelled(self.teacher, text, len(vectors)))


def open_bridge(run: Path, *, allow_foreign: bool = False) -> RunBridge:
    """The bridge of a run directory.

    Raises: DataError with the reason where the run has none; what `cmkt.load` and `cmkt.attach` raise.
    """
    from cmkt.evaluation.frames import tapped_model

    transfer = _transfer_settings(run)
    weights = _bridge_weights(run)
    enhancer = load_torch(run, allow_foreign=allow_foreign)
    source = tapped_model(
        enhancer.model,
        name=run.name,
        layer=transfer["layer"],
        layout=transfer.get("layout", "b t c"),
        sample_rate=enhancer.sample_rate,
    )
    teacher = _teacher(transfer)
    alignment = _alignment(transfer, frame_width=_frame_width(source), teacher=teacher, weights=weights)
    name = type(alignment).__name__.removesuffix("Alignment")
    return RunBridge(transfer["layer"], name, enhancer.sample_rate, source, teacher, alignment)


def _transfer_settings(run: Path) -> dict[str, Any]:
    import yaml

    try:
        described = yaml.safe_load((run / CONFIG).read_text(encoding="utf-8"))
        transfer = described["model"]["transfer"]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise DataError(f"`{run / CONFIG}` must be the configuration of a run, but cannot be read.") from error
    if transfer is None:
        raise DataError("It was trained plain, so there is no bridge.")
    if not isinstance(transfer, dict) or not isinstance(transfer.get("teacher", "embedded"), str):
        raise DataError("Its teacher is an object of its own, which a report cannot make again.")
    return transfer


def _bridge_weights(run: Path) -> dict[str, Tensor]:
    import torch

    path = next((run / name for name in CHECKPOINTS if (run / name).is_file()), None)
    if path is None:
        raise DataError("It has no checkpoint, and the enhancer alone has no bridge.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} must be a checkpoint, but cannot be read: {error}") from error
    return {name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)}


def _teacher(transfer: dict[str, Any]) -> Teacher:
    """The teacher of the run. In place of a store, which knows only training data, the model that filled it."""
    from cmkt.text.controls import controlled
    from cmkt.text.embedded import EmbeddedTeacher
    from cmkt.text.store import StoredTeacher
    from cmkt.text.teacher import resolve_teacher

    named = resolve_teacher(transfer.get("teacher", "embedded"))
    if isinstance(named, StoredTeacher):
        try:
            embedded = EmbeddedTeacher()
        except CmktError:
            return named
        named = embedded if embedded.identity == named.identity else named
    if transfer.get("control") == "random":
        return controlled(named, "random", seed=int(transfer.get("seed", 0)))
    return named


def _frame_width(source: FrameSource) -> int:
    from cmkt.data.testset import TestMixture

    second = np.zeros(source.sample_rate, dtype=np.float32)
    silence = TestMixture(id="", snr_db=0.0, noisy=second, clean=second, metadata={})
    return int(source.frames(silence).shape[1])


def _alignment(
    transfer: dict[str, Any], *, frame_width: int, teacher: Teacher, weights: dict[str, Tensor]
) -> nn.Module:
    spec = _specification(transfer.get("alignment"))
    module: nn.Module = spec.build(frame_width, teacher.width, seed=0)
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(f"The bridge must fit its configuration, but does not: {error}") from error
    return module.eval()


def _specification(described: Any) -> Any:
    """The alignment of a configuration: a class_path with init_args, None for the usual one. Of this package only."""
    from jsonargparse import ArgumentParser

    from cmkt.transfer.attention import Attention

    if described is None:
        return Attention()
    kind = described.get("class_path") if isinstance(described, dict) else None
    if not isinstance(kind, str) or not kind.startswith("cmkt."):
        raise ConfigError(f"The alignment must be of this package to be drawn, but is {described!r}.")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--alignment", type=_Built)
    return parser.instantiate_classes(parser.parse_object({"alignment": described})).alignment


def _spelled(teacher: Teacher, text: str, count: int) -> tuple[str, ...]:
    """The tokens of a teacher that can show them, characters for one of these, numbers for any other."""
    from cmkt.text.characters import CharacterTeacher, spoken_characters
    from cmkt.text.controls import real_teacher
    from cmkt.text.teacher import Tokenising

    real = real_teacher(teacher)
    spelled: tuple[str, ...] = ()
    if isinstance(real, Tokenising):
        spelled = tuple(real.tokens(text))
    elif isinstance(real, CharacterTeacher):
        spelled = tuple(spoken_characters(text))
    return spelled if len(spelled) == count else tuple(map(str, range(1, count + 1)))
