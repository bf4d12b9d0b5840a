"""A model as a system to evaluate. Graphs need no torch; each process opens a model once. Shapes: T samples."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, final

from cmkt.evaluation.fingerprint import enhancer_fingerprint
from cmkt.evaluation.system_names import system_names
from cmkt.inference.load import GRAPH_SUFFIX, load

if TYPE_CHECKING:
    from cmkt.evaluation.held_out import HeldOutMixture
    from cmkt.inference.array_enhancer import ArrayEnhancer
    from cmkt.types import FloatArray

logger = logging.getLogger(__name__)


@final
@dataclass(frozen=True, slots=True)
class Model:
    """An enhancer of `cmkt.load`, by its spelling there. sample_rate: that at which it works, in Hz."""

    name: str
    source: str
    weights: str
    device: str | None = None
    allow_foreign: bool = False
    sample_rate: int | None = None

    def described(self) -> dict[str, object]:
        """As `System.described`."""
        path = Path(self.source)
        where = str(path.resolve()) if path.exists() else self.source
        return {"kind": "model", "source": where, "device": self.device, "sample_rate": self.sample_rate}

    def estimate(self, mixture: HeldOutMixture) -> FloatArray:
        """Enhanced speech."""
        enhancer = open_enhancer(self.source, self.device, allow_foreign=self.allow_foreign)
        with warnings.catch_warnings():  # once for all mixtures, by `warn_of_band`
            warnings.filterwarnings("ignore", message="The model works at", category=UserWarning)
            return enhancer.enhance(mixture.noisy, sample_rate=mixture.sample_rate)


def find_models(sources: Sequence[str], *, device: str | None = None, allow_foreign: bool = False) -> list[Model]:
    """Each model, loaded once to see that it works and to take its fingerprint.

    device: of torch models; None, and always for an .onnx: as `cmkt.load` without one.

    Raises: CheckpointError or ConfigError where a model cannot be loaded or two cannot be told apart.
    """
    models = []
    for source, name in zip(sources, system_names(sources), strict=True):
        placed = None if Path(source).suffix == GRAPH_SUFFIX else device
        enhancer = open_enhancer(source, placed, allow_foreign=allow_foreign)
        weights = enhancer_fingerprint(enhancer)
        models.append(Model(name, source, weights, placed, allow_foreign, enhancer.sample_rate))
    return models


def warn_of_band(models: Sequence[Model], sample_rates: frozenset[int]) -> None:
    """Tells of each model that works at a lower rate than some of the data: content above its half is removed."""
    for model in models:
        if model.sample_rate is not None and model.sample_rate < max(sample_rates):
            logger.warning(
                "%s works at %d Hz: it removes what the data, at up to %d Hz, have above %d Hz, and scores see that. "
                "--sample-rate %d removes it for every system.",
                model.name,
                model.sample_rate,
                max(sample_rates),
                model.sample_rate // 2,
                model.sample_rate,
            )


@lru_cache(maxsize=16)
def open_enhancer(source: str, device: str | None, *, allow_foreign: bool) -> ArrayEnhancer:
    """A model, opened once in each process."""
    if device is None:
        return load(source, allow_foreign=allow_foreign)
    return load(source, device=device, allow_foreign=allow_foreign)
