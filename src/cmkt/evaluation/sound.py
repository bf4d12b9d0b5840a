"""The metrics of sound of an estimate, taken from the cache where the same audio was scored before.

Shapes: signals are (T,), of equal length and rate.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cmkt.evaluation.cache import content_key
from cmkt.evaluation.score import Metrics, measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cmkt.evaluation.cache import ResultCache
    from cmkt.metrics.registry import RegisteredMetric
    from cmkt.types import FloatArray

PARTS: Final = ("cmkt.metrics", "cmkt.signal")
PACKAGES: Final = ("numpy", "scipy", "pesq", "pystoi", "onnxruntime", "speechmos")


@lru_cache(maxsize=1)
def sound_identity() -> str:
    """16 hex digits that change with any line of the code that computes metrics and any package it uses.

    A number that somebody has to raise would be forgotten; this one costs some scores that are computed again.
    """
    digest = hashlib.sha256()
    for part in PARTS:
        sources = sorted(
            (each for each in files(part).iterdir() if each.name.endswith(".py")), key=lambda each: each.name
        )
        for source in sources:
            digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    digest.update(str(package_versions()).encode())
    return digest.hexdigest()[:16]


def package_versions() -> dict[str, str | None]:
    """The version of each package that metrics use, None of those that are not installed."""
    return {package: _version(package) for package in PACKAGES}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def measure_sound(
    *,
    estimate: FloatArray,
    reference: FloatArray | None,
    sample_rate: int,
    metrics: Mapping[str, RegisteredMetric],
    cache: ResultCache,
) -> Metrics:
    """As `cmkt.evaluation.score.measure`; what the cache lacks is computed and kept there.

    Raises: AudioError where the shapes differ or the estimate is not finite.
    """
    key = _key(estimate, reference, sample_rate)
    known = _checked(cache.get(key))
    lacking = {name: metric for name, metric in metrics.items() if name not in {*known.values, *known.missing}}
    if lacking:
        found = measure(estimate=estimate, reference=reference, sample_rate=sample_rate, metrics=lacking)
        known = Metrics(known.values | found.values, known.missing | found.missing)
        cache.put(key, {"values": known.values, "missing": known.missing})
    return Metrics(
        {name: value for name, value in known.values.items() if name in metrics},
        {name: reason for name, reason in known.missing.items() if name in metrics},
    )


def _key(estimate: FloatArray, reference: FloatArray | None, sample_rate: int) -> str:
    told = f"sound {sound_identity()} {sample_rate}".encode()
    return content_key(told, _content(estimate), b"none" if reference is None else _content(reference))


def _content(audio: FloatArray) -> bytes:
    return f"{audio.dtype} {audio.shape} ".encode() + np.ascontiguousarray(audio).tobytes()


def _checked(kept: Any) -> Metrics:
    """What the cache had, without anything that is not ours."""
    values, missing = ({}, {}) if not isinstance(kept, dict) else (kept.get("values"), kept.get("missing"))
    if not isinstance(values, dict) or not isinstance(missing, dict):
        return Metrics({}, {})
    return Metrics(
        {name: value for name, value in values.items() if isinstance(value, float) and math.isfinite(value)},
        {name: reason for name, reason in missing.items() if isinstance(reason, str)},
    )
