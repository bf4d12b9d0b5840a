"""The bridges of a transfer run, as its checkpoint kept them: the alignments that are thrown away after training.

Shapes: audio (T,), N tokens, F frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from cmkt.errors import CheckpointError, CmktError, ConfigError, DataError
from cmkt.evaluation.checkpoints import KeptCheckpoint, below, best_kept, load_kept
from cmkt.inference.load import load_torch

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from cmkt.evaluation.frames import FrameSource
    from cmkt.evaluation.trained_bridge import TrainedBridge
    from cmkt.inference.enhancer import TorchEnhancer
    from cmkt.types import Teacher

CONFIG: Final = "config.yaml"
PREFIX: Final = "task.branches.{place}.alignment."
TASK: Final = "task._extra_state"


class _Built(Protocol):
    """What a configuration names as an alignment, as jsonargparse must be told."""

    def build(self, frame_width: int, token_width: int, *, seed: int) -> Any: ...


def open_bridges(
    run: Path, *, checkpoint: KeptCheckpoint | None = None, allow_foreign: bool = False
) -> list[TrainedBridge]:
    """The bridges of a run directory, one for each layer that it supervised, with the enhancer up to that layer.

    checkpoint: of this run, for both as they were then; by default the bridges of the best one and the saved enhancer.
    Raises: DataError with the reason where the run has none; what `cmkt.load` and `cmkt.attach` raise.
    """
    transfer = _transfer_settings(run)
    kept = checkpoint or best_kept(run)
    enhancer = load_torch(run, allow_foreign=allow_foreign)
    if checkpoint is not None:
        load_kept(enhancer.model, checkpoint)
    teacher = _teacher(transfer)
    step = int(kept.state.get(TASK, {}).get("step", kept.step))
    return [
        _bridge(enhancer, layer, teacher, state=below(kept.state, PREFIX.format(place=place)), step=step)
        for place, layer in enumerate(_layers(transfer))
    ]


def _layers(transfer: dict[str, Any]) -> list[dict[str, Any]]:
    """The settings of each layer: `layer` is the name of the only one, or a list."""
    layers = transfer.get("layer")
    return [transfer] if isinstance(layers, str) else [*(layers or ())]


def _bridge(
    enhancer: TorchEnhancer, settings: dict[str, Any], teacher: Teacher, *, state: dict[str, Tensor], step: int
) -> TrainedBridge:
    from cmkt.evaluation.frames import tapped_model
    from cmkt.evaluation.trained_bridge import TrainedBridge
    from cmkt.transfer.alignment import say_step

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
    say_step(alignment, step)
    return TrainedBridge(source, teacher, alignment)


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
        raise DataError("Its teacher is an object of its own, which cannot be made again from the configuration.")
    return transfer


def _teacher(transfer: dict[str, Any]) -> Teacher:
    """The teacher of the run, as `that_spells`."""
    from cmkt.text.centred import CentredTeacher
    from cmkt.text.controls import controlled

    named = controlled(
        transfer.get("teacher", "embedded"),
        "random" if transfer.get("control") == "random" else None,
        seed=int(transfer.get("seed", 0)),
        subtract_mean=bool(transfer.get("subtract_mean")),
    )
    if isinstance(named, CentredTeacher) and not named.filled:
        raise DataError("Its teacher's mean direction was that of the training data, which is not at hand.")
    return that_spells(named)


def that_spells(teacher: Teacher) -> Teacher:
    """In place of a store, which knows its own texts and no tokens, the model that filled it, where it is at hand."""
    from cmkt.text.centred import CentredTeacher
    from cmkt.text.store import StoredTeacher

    if isinstance(teacher, CentredTeacher):
        return CentredTeacher(that_spells(teacher.teacher), mean=teacher.mean)
    if not isinstance(teacher, StoredTeacher):
        return teacher
    return _embedded_of(teacher.identity) or teacher


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
