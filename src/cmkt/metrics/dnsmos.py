"""DNSMOS: what networks that were trained on listeners' ratings guess they would say, without a reference.

P.835: Reddy, Gopal, Cutler, DNSMOS P.835: A Non-Intrusive Perceptual Objective Speech Quality Metric to Evaluate Noise
Suppressors, ICASSP 2022. P.808: Reddy, Gopal, Cutler, DNSMOS: A Non-Intrusive Perceptual Objective Speech Quality
Metric to Evaluate Noise Suppressors, ICASSP 2021. About 1 to 5, higher is better.

The networks are Microsoft's files in the package speechmos (MIT), whose code is not run: it needs librosa. Both favour
over-suppression: they do not know what was said, and rate speech well whose quiet parts are gone. Nothing is ever
selected by them here. Shapes: T samples.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy import fft
from scipy.signal import get_window

from cmkt.errors import MissingExtraError, extra_hint
from cmkt.metrics.mel import mel_filters
from cmkt.metrics.pair import check_alone
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnxruntime
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

RATE: Final = 16_000
WINDOW_SAMPLES: Final = 144_160
"""9.01 s, which the networks hear at once; windows start every second."""

PACKAGE: Final = "speechmos"
P835_NETWORK: Final = "sig_bak_ovr.onnx"
P808_NETWORK: Final = "model_v8.onnx"
SHA256: Final = {
    P835_NETWORK: "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
    P808_NETWORK: "9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91",
}

SIG_FIT: Final = (-0.08397278, 1.22083953, 0.0052439)
BAK_FIT: Final = (-0.13166888, 1.60915514, -0.39604546)
OVRL_FIT: Final = (-0.06766283, 1.11546468, 0.04602535)
"""Polynomials, highest power first, that Microsoft maps the outputs with to the scale of listeners."""

FFT_SAMPLES: Final = 321
HOP_SAMPLES: Final = 160
BANDS: Final = 120
LOWEST_POWER: Final = 1e-10
RANGE_DB: Final = 80.0


class P835(NamedTuple):
    """sig: the speech alone; bak: the background, 5 is not noticeable; ovrl: the whole. About 1 to 5."""

    sig: float
    bak: float
    ovrl: float


def dnsmos_p835(*, estimate: FloatArray, sample_rate: int) -> P835:
    """SIG, BAK and OVRL of an estimate, higher is better. Other rates are resampled to 16 kHz first.

    Means over windows of 9.01 s that start every second; a shorter signal is doubled until it fills one. The same
    to 1e-6 as speechmos, except where the signal, doubled, lasts 17 s or more: there speechmos leaves out the windows
    that start at 7 to 23 s, by a rounding error; here they count. The level of the estimate matters.

    Shape: estimate (T,).

    Raises:
        ConfigError: it is not (T,), or the rate is not positive.
        MetricUndefinedError: silence, or not finite.
        MissingExtraError: `speechmos` is not installed, or its networks are not the published ones.
    """
    session = _session(P835_NETWORK)
    raw = [session.run(None, {"input_1": each})[0][0] for each in _windows(estimate, sample_rate)]
    fitted = [np.polyval(fit, np.array(raw)[:, part]) for part, fit in enumerate((SIG_FIT, BAK_FIT, OVRL_FIT))]
    return P835(*(float(each.mean()) for each in fitted))


def dnsmos_p808(*, estimate: FloatArray, sample_rate: int) -> float:
    """The older network's opinion of the whole, about 1 to 5, higher is better. Windows and errors as `dnsmos_p835`.

    Shape: estimate (T,).
    """
    session = _session(P808_NETWORK)
    heard = (log_mel(each[0, :-HOP_SAMPLES]) for each in _windows(estimate, sample_rate))
    opinions = [session.run(None, {"input_1": each[None]})[0][0, 0] for each in heard]
    return float(np.mean(opinions, dtype=np.float64))


def log_mel(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network of P.808 hears of `x` (T,) at 16 kHz: (T // 160, 120), from -1 to 1.

    Power in 120 mel bands of frames of 321 samples, in dB below the highest, at most 80, then (dB + 40) / 40.
    """
    padded = np.pad(x.astype(np.float64), FFT_SAMPLES // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES]
    power = np.square(np.abs(fft.rfft(windows * get_window("hann", FFT_SAMPLES), axis=-1)))
    power = power @ mel_filters(sample_rate=RATE, size=FFT_SAMPLES, bands=BANDS).T
    level_db = 10 * np.log10(np.maximum(power, LOWEST_POWER))
    below_db = np.maximum(level_db - level_db.max(), -RANGE_DB)
    heard: NDArray[np.float32] = ((below_db + 40) / 40).astype(np.float32)
    return heard


def _windows(estimate: FloatArray, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Windows (1, 144160), one a second. Like Microsoft's code as many as whole seconds beyond 9, or one."""
    audio = resample(check_alone(estimate=estimate, sample_rate=sample_rate), sample_rate, RATE).astype(np.float32)
    while audio.size < WINDOW_SAMPLES:
        audio = np.concatenate((audio, audio))
    for second in range(max(audio.size // RATE - WINDOW_SAMPLES // RATE, 1)):
        yield audio[None, second * RATE : second * RATE + WINDOW_SAMPLES]


def network_path(name: str) -> Path:
    """The file of a network inside its package, which is located without running any of the package's code.

    Raises: MissingExtraError when the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise MissingExtraError(extra_hint(PACKAGE, "dnsmos"))
    return Path(found.origin).parent / "dnsmos_models" / name


def _session(name: str) -> onnxruntime.InferenceSession:
    return _open(network_path(name), SHA256[name])


@lru_cache(maxsize=2)
def _open(path: Path, sha256: str) -> onnxruntime.InferenceSession:
    """On one thread: an evaluation works on utterances in parallel."""
    import onnxruntime

    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise MissingExtraError(
            f"`{path}` must be the network that speechmos 0.0.1.1 has, but is another or absent. "
            "Run: pip install --force-reinstall speechmos==0.0.1.1"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
