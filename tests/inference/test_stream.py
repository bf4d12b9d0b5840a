"""Streams: any chunk size and rate, the strength control, and misuse."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from cmkt.errors import AudioError, ConfigError
from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.load import load
from cmkt.inference.stream import Stream, dry_gain
from cmkt.models.crn import CRN
from cmkt.models.demucs import Demucs
from cmkt.models.dpcrn import DPCRN
from cmkt.models.se_mamba import SEMamba
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from cmkt.types import FloatArray


def noise(*shape: int) -> FloatArray:
    return (0.05 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


class Silencer:
    """Removes everything, with a delay of 100 samples."""

    def __init__(self) -> None:
        self._owed = 0

    def feed(self, audio: FloatArray) -> FloatArray:
        self._owed += audio.shape[-1]
        ready = max(self._owed - 100, 0)
        self._owed -= ready
        return np.zeros((audio.shape[0], ready), dtype=np.float32)

    def flush(self) -> FloatArray:
        return np.zeros((1, self._owed), dtype=np.float32)


def silencing(sample_rate: int, limit_db: float | None) -> Stream:
    return Stream(
        Silencer,
        sample_rate=sample_rate,
        model_rate=16_000,
        channels=1,
        processor_seconds=100 / 16_000,
        attenuation_limit_db=limit_db,
    )


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("samples", [1, 2, 1_001, 12_345])
def test_total_length_is_that_of_the_input_and_equals_offline(
    enhancer: TorchEnhancer, sample_rate: int, samples: int
) -> None:
    audio = noise(samples)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        wanted = enhancer.enhance(audio, sample_rate=sample_rate)
        with enhancer.stream(sample_rate=sample_rate) as stream:
            parts = [stream.feed(audio[start : start + 317]) for start in range(0, samples, 317)]
            output = np.concatenate([*parts, stream.flush()])
    assert output.shape == audio.shape
    np.testing.assert_allclose(output, wanted, atol=1e-5)


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 44_100])
def test_nothing_is_withheld_for_longer_than_the_stated_latency(enhancer: TorchEnhancer, sample_rate: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        stream = enhancer.stream(sample_rate=sample_rate)
    withheld, longest = 0, 0
    for _ in range(1_000):
        withheld += 40
        longest = max(longest, withheld)
        withheld -= stream.feed(noise(40)).shape[-1]
    assert longest / sample_rate <= stream.latency_seconds < 0.4


def test_a_causal_stream_states_window_and_hop_as_latency(enhancer: TorchEnhancer) -> None:
    assert enhancer.stream(sample_rate=16_000).latency_seconds == pytest.approx(0.0375)


def test_a_stream_of_a_model_that_needs_the_future_states_its_window_as_latency(blstm: nn.Module) -> None:
    stream = TorchEnhancer(blstm).stream(sample_rate=16_000, window_seconds=0.5)
    assert stream.latency_seconds == pytest.approx(0.5)
    audio = noise(20_000)
    output = np.concatenate((stream.feed(audio), stream.flush()))
    assert output.shape == audio.shape
    assert np.isfinite(output).all()


def test_a_stream_of_a_model_that_needs_the_future_says_so_at_once_unless_a_window_was_chosen(blstm: nn.Module) -> None:
    with pytest.warns(UserWarning, match=r"works in windows of 4 s, and a sample leaves up to 4 s after") as caught:
        stream = TorchEnhancer(blstm).stream(sample_rate=16_000)
    assert caught[0].filename == __file__
    assert stream.latency_seconds == pytest.approx(4.0)


def test_a_sample_of_a_windowed_stream_leaves_within_the_stated_latency(blstm: nn.Module) -> None:
    stream = TorchEnhancer(blstm).stream(sample_rate=8_000, window_seconds=0.5)
    withheld = longest = 0
    for sample in noise(9_000)[:, None]:
        withheld += 1
        longest = max(longest, withheld)
        withheld -= stream.feed(sample).shape[-1]
    assert 0.5 < longest / 8_000 <= stream.latency_seconds


@pytest.mark.parametrize("sample_rate", [16_000, 11_025])
@pytest.mark.parametrize("chunk", [1_237, 50_000])
def test_a_windowed_stream_does_not_depend_on_the_chunks(blstm: nn.Module, sample_rate: int, chunk: int) -> None:
    audio, enhancer = noise(2, 40_001), TorchEnhancer(blstm)

    def streamed(size: int) -> FloatArray:
        stream = enhancer.stream(sample_rate=sample_rate, channels=2, window_seconds=0.5, attenuation_limit_db=12.0)
        parts = [stream.feed(audio[:, start : start + size]) for start in range(0, audio.shape[1], size)]
        return np.concatenate((*parts, stream.flush()), axis=-1)

    output = streamed(chunk)
    assert output.shape == audio.shape
    np.testing.assert_allclose(output, streamed(160), atol=1e-6)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.05, float("nan"), float("inf")])
def test_a_window_that_cannot_be_is_refused(blstm: nn.Module, seconds: float) -> None:
    with pytest.raises(ConfigError, match="`window_seconds` must be at least"):
        TorchEnhancer(blstm).stream(sample_rate=16_000, window_seconds=seconds)


def test_a_stream_of_the_default_model_has_less_than_60_ms_of_latency_at_48_khz() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert load("default").stream(sample_rate=48_000).latency_seconds == pytest.approx(0.0435)


@pytest.mark.parametrize("build", [CRN, DPCRN, Demucs, SEMamba])
def test_ten_seconds_in_chunks_of_random_sizes_are_what_offline_gives(build: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    model, generator = build().eval(), np.random.default_rng(1)
    audio = noise(160_000)  # at -26 dBFS
    with torch.no_grad():
        whole = model(torch.from_numpy(audio)[None])[0].numpy()
    stream, parts, start = TorchEnhancer(model).stream(sample_rate=16_000), [], 0
    while start < audio.size:
        size = int(generator.integers(0, 4_000))
        parts.append(stream.feed(audio[start : start + size]))
        start += size
    np.testing.assert_allclose(np.concatenate((*parts, stream.flush())), whole, atol=1e-5)


@pytest.mark.parametrize("sample_rate", [8_000, 44_100, 48_000])
def test_at_another_rate_a_stream_is_the_model_between_two_resamplings(
    enhancer: TorchEnhancer, sample_rate: int
) -> None:
    audio = noise(30_000)
    there = resample(audio, sample_rate, 16_000)
    with torch.no_grad():
        enhanced = enhancer.model(torch.from_numpy(there)[None])[0].numpy()
    wanted = resample(enhanced, 16_000, sample_rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        stream = enhancer.stream(sample_rate=sample_rate)
    output = np.concatenate([stream.feed(chunk) for chunk in np.array_split(audio, 37)] + [stream.flush()])
    reach = round(0.04 * sample_rate)  # the last frames hear how the resampler's filter rings on, in a stream only
    np.testing.assert_allclose(output[:-reach], wanted[: output.size - reach], atol=1e-5)


def test_streams_of_one_enhancer_do_not_hear_each_other(enhancer: TorchEnhancer) -> None:
    audio = noise(3_000)
    wanted = enhancer.enhance(audio, sample_rate=16_000)
    first, second = enhancer.stream(sample_rate=16_000), enhancer.stream(sample_rate=16_000)
    parts = []
    for start in range(0, audio.size, 500):
        parts.append(first.feed(audio[start : start + 500]))
        second.feed(noise(123))
    np.testing.assert_allclose(np.concatenate([*parts, first.flush()]), wanted, atol=1e-5)


def test_reset_starts_a_new_signal(enhancer: TorchEnhancer) -> None:
    stream = enhancer.stream(sample_rate=16_000)
    audio = noise(2_000)
    first = np.concatenate((stream.feed(audio), stream.flush()))
    stream.reset()
    assert np.array_equal(np.concatenate((stream.feed(audio), stream.flush())), first)


def test_rank_and_dtype_of_the_chunk_are_kept(enhancer: TorchEnhancer) -> None:
    with enhancer.stream(sample_rate=16_000) as stream:
        assert stream.feed(noise(1, 900)).ndim == 2
        flat = stream.feed(noise(900).astype(np.float64))
        assert flat.ndim == 1
        assert flat.dtype == np.float64
        assert stream.flush().dtype == np.float64
    with enhancer.stream(sample_rate=16_000, channels=3) as stream:
        assert stream.feed(noise(3, 900)).shape[0] == 3
        assert stream.flush().shape[0] == 3


def test_a_stream_that_was_fed_nothing_gives_nothing(enhancer: TorchEnhancer) -> None:
    with enhancer.stream(sample_rate=44_100 // 4) as stream:
        assert stream.feed(noise(0)).shape == (0,)
        assert stream.flush().shape == (0,)


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        (np.zeros(10, np.int16), "float array"),
        (np.zeros((2, 10), np.float32), r"must be \(1, n\)"),
        (np.zeros((1, 1, 10), np.float32), r"must be \(1, n\)"),
        (np.array(0.5, np.float32), r"must be \(1, n\)"),
        (np.array([0.0, np.nan], np.float32), "finite"),
        (np.array([0.0, np.inf], np.float32), "finite"),
        (np.array([0.0, -20_000.0], np.float32), "full scale"),
        ([0.0, 0.1], "list"),
    ],
)
def test_a_wrong_chunk_is_refused_and_changes_nothing(enhancer: TorchEnhancer, chunk: FloatArray, message: str) -> None:
    audio = noise(1_000)
    with enhancer.stream(sample_rate=16_000) as stream:
        parts = [stream.feed(audio[:500])]
        with pytest.raises(AudioError, match=message):
            stream.feed(chunk)
        output = np.concatenate([*parts, stream.feed(audio[500:]), stream.flush()])
    np.testing.assert_allclose(output, enhancer.enhance(audio, sample_rate=16_000), atol=1e-5)


def test_a_stream_is_closed_after_flush_and_after_its_block(enhancer: TorchEnhancer) -> None:
    with enhancer.stream(sample_rate=16_000) as stream:
        stream.flush()
        with pytest.raises(ConfigError, match="flushed or closed"):
            stream.feed(noise(10))
        with pytest.raises(ConfigError, match="flushed or closed"):
            stream.flush()
    with enhancer.stream(sample_rate=16_000) as stream:
        pass
    with pytest.raises(ConfigError, match="flushed or closed"):
        stream.feed(noise(10))


def test_arguments_that_cannot_work_are_refused(enhancer: TorchEnhancer) -> None:
    with pytest.raises(ConfigError, match="`channels`"):
        enhancer.stream(sample_rate=16_000, channels=0)
    with pytest.raises(AudioError, match="`sample_rate`"):
        enhancer.stream(sample_rate=0)
    for limit_db in (-1.0, float("nan")):
        with pytest.raises(ConfigError, match="`attenuation_limit_db`"):
            enhancer.stream(sample_rate=16_000, attenuation_limit_db=limit_db)


def test_what_the_model_removes_is_turned_down_by_exactly_the_limit() -> None:
    audio = noise(5_000)
    for sample_rate in (16_000, 48_000):
        stream = silencing(sample_rate, 12.0)
        output = np.concatenate((stream.feed(audio[:1_234]), stream.feed(audio[1_234:]), stream.flush()))
        np.testing.assert_allclose(output, audio * 10 ** (-12 / 20), atol=1e-7)


def test_the_dry_gain_is_worked_out_by_hand() -> None:
    assert dry_gain(None) == 0.0
    assert dry_gain(0.0) == 1.0
    assert dry_gain(20.0) == pytest.approx(0.1)
    assert dry_gain(float("inf")) == 0.0
