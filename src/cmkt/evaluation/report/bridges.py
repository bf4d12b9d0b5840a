"""The bridges of a transfer run, as its checkpoint kept them: the alignments that are thrown away after training.

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
    from cmkt.inference.enhancer import TorchEnhancer
    from cmkt.types import FloatArray, Teacher

CONFIG: Final = "config.yaml"
CHECKPOINTS: Final = ("checkpoints/best.ckpt", "checkpoints/last.ckpt")
PREFIX: Final = "task.branches.{place}.alignment."


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


def open_bridges(run: Path, *, allow_foreign: bool = False) -> list[RunBridge]:
    """The bridges of a run directory, one for each layer that it supervised.

    Raises: DataError with the reason where the run has none; what `cmkt.load` and `cmkt.attach` raise.
    """
    transfer = _transfer_settings(run)
    state = _state(run)
    enhancer = load_torch(run, allow_foreign=allow_foreign)
    teacher = _teacher(transfer)
    return [
        _bridge(enhancer, layer, teacher, state=_only(state, PREFIX.format(place=place)))
        for place, layer in enumerate(_layers(transfer))
    ]


def _layers(transfer: dict[str, Any]) -> list[dict[str, Any]]:
    """The settings of each layer: `layer` is the name of the only one, or a list."""
    layers = transfer.get("layer")
    return [transfer] if isinstance(layers, str) else [*(layers or ())]


def _bridge(
    enhancer: TorchEnhancer, settings: dict[str, Any], teacher: Teacher, *, state: dict[str, Tensor]
) -> RunBridge:
    from cmkt.evaluation.frames import tapped_model

    source = tapped_model(
        enhancer.model,
        name=settings["layer"],
        layer=settings["layer"],
        layout=settings.get("layout", "b t c"),
        sample_rate=enhancer.sample_rate,
    )
    alignment = _alignment(
        settings.get("alignment"), frame_width=_frame_width(source), token_width=teacher.width, state=state
    )
    name = type(alignment).__name__.removesuffix("Alignment")
    return RunBridge(settings["layer"], name, enhancer.sample_rate, source, teacher, alignment)


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


def _state(run: Path) -> dict[str, Tensor]:
    import torch

    path = next((run / name for name in CHECKPOINTS if (run / name).is_file()), None)
    if path is None:
        raise DataError("It has no checkpoint, and the enhancer alone has no bridge.")
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} must be a checkpoint, but cannot be read: {error}") from error
    return state


def _only(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The entries below a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _teacher(transfer: dict[str, Any]) -> Teacher:
    """The teacher of the run. In place of a store, which knows only training data, the model that filled it."""
    from cmkt.text.controls import controlled
    from cmkt.text.store import StoredTeacher
    from cmkt.text.teacher import resolve_teacher

    named = resolve_teacher(transfer.get("teacher", "embedded"))
    if isinstance(named, StoredTeacher):
        named = _embedded_of(named.identity) or named
    if transfer.get("control") == "random":
        return controlled(named, "random", seed=int(transfer.get("seed", 0)))
    return named


def _embedded_of(identity: str) -> Teacher | None:
    """The shipped model that filled a store, where it is installed."""
    from cmkt.text.embedded import EMBEDDED_MODELS, EmbeddedTeacher

    for name in EMBEDDED_MODELS:
        try:
            embedded = EmbeddedTeacher(name)
        except CmktError:
            continue
        if embedded.identity == identity:
            return embedded
    return None


def _frame_width(source: FrameSource) -> int:
    from cmkt.data.testset import TestMixture

    second = np.zeros(source.sample_rate, dtype=np.float32)
    silence = TestMixture(id="", snr_db=0.0, noisy=second, clean=second, metadata={})
    return int(source.frames(silence).shape[1])


def _alignment(described: Any, *, frame_width: int, token_width: int, state: dict[str, Tensor]) -> nn.Module:
    module: nn.Module = _specification(described).build(frame_width, token_width, seed=0)
    try:
        module.load_state_dict(state)
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
