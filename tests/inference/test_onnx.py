"""The ONNX enhancer does what the torch enhancer does, without torch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest

from cmkt.audio.write import write_audio
from cmkt.errors import AudioError, CheckpointError, ConfigError
from cmkt.inference import load as loading
from cmkt.inference.graph_card import CARD_KEY, SEAL_KEY
from cmkt.inference.load import load, load_torch
from cmkt.inference.onnx import OnnxEnhancer
from cmkt.types import Enhancer

if TYPE_CHECKING:
    from cmkt.inference.array_enhancer import ArrayEnhancer
    from cmkt.types import FloatArray

RATE = 16_000


def noise(*shape: int) -> FloatArray:
    return (0.05 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


def graph(folder: Path) -> OnnxEnhancer:
    return OnnxEnhancer(folder / "model.onnx")


def streamed(enhancer: ArrayEnhancer, audio: FloatArray, chunk: int, *, sample_rate: int = RATE) -> FloatArray:
    channels = 1 if audio.ndim == 1 else audio.shape[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        stream = enhancer.stream(sample_rate=sample_rate, channels=channels)
    parts = [stream.feed(audio[..., start : start + chunk]) for start in range(0, audio.shape[-1], chunk)]
    return np.concatenate((*parts, stream.flush()), axis=-1)


def changed(folder: Path, path: Path, properties: dict[str, str], *, keep: tuple[str, ...] = ()) -> Path:
    """A copy of the graph with other metadata."""
    model = onnx.load(folder / "model.onnx")
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key in keep}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {**kept, **properties})
    onnx.save(model, path)
    return path


def test_it_is_an_enhancer_with_the_facts_of_its_model(exported: Path) -> None:
    enhancer, model = graph(exported), load_torch(exported)
    assert isinstance(enhancer, Enhancer)
    assert enhancer.sample_rate == model.sample_rate == RATE
    assert enhancer.causal
    assert model.causal
    assert enhancer.latency_samples == model.latency_samples == model.model.latency_samples
    streams = [e.stream(sample_rate=44_100 // 4) for e in (enhancer, model)]
    assert streams[0].latency_seconds == streams[1].latency_seconds


@pytest.mark.parametrize("shape", [(1,), (333,), (1, 2_345), (3, 4_321), (24_000,)])
def test_it_gives_what_torch_gives(exported: Path, shape: tuple[int, ...]) -> None:
    audio = noise(*shape)
    output = graph(exported).enhance(audio, sample_rate=RATE)
    assert output.shape == shape
    np.testing.assert_allclose(output, load_torch(exported).enhance(audio, sample_rate=RATE), atol=1e-5)


@pytest.mark.parametrize(("hops", "more"), [(0, 1), (1, -1), (1, 0), (7, 3)])
def test_a_stream_in_total_is_the_whole_and_is_what_torch_gives(exported: Path, hops: int, more: int) -> None:
    enhancer = graph(exported)
    chunk = hops * enhancer.card.hop_samples + more
    audio = noise(2, 12_345 if chunk > 1 else 1_000)
    output = streamed(enhancer, audio, chunk)
    np.testing.assert_allclose(output, enhancer.enhance(audio, sample_rate=RATE), atol=1e-5)
    np.testing.assert_allclose(output, streamed(load_torch(exported), audio, chunk), atol=1e-5)


@pytest.mark.parametrize("exported", ["demucs"], indirect=True)
def test_the_recipe_of_the_docs_for_waveforms_gives_the_same(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported / "model.onnx")
    facts = json.loads(session.get_modelmeta().custom_metadata_map["cmkt"])
    hop, delay = facts["hop_samples"], facts["window_samples"] - facts["hop_samples"]
    assert delay > 0
    state = {entry["input"]: np.zeros((1, *entry["shape"]), np.float32) for entry in facts["states"]}
    names, audio, out = [node.name for node in session.get_outputs()], noise(20 * hop), []
    for k in range(20):
        enhanced, *after = session.run(names, {"noisy": audio[None, k * hop : (k + 1) * hop]} | state)
        state = dict(zip(state, after, strict=True))
        out.append(enhanced[0])
    delayed = np.concatenate(out)[delay:]
    whole = graph(exported).enhance(audio, sample_rate=RATE)
    np.testing.assert_allclose(delayed, whole[: delayed.size], atol=1e-5)


@pytest.mark.parametrize("exported", ["crn", "dpcrn", "se_mamba"], indirect=True)
def test_the_recipe_of_the_docs_for_another_runtime_gives_the_same(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported / "model.onnx")
    facts = json.loads(session.get_modelmeta().custom_metadata_map["cmkt"])
    window, hop = facts["window_samples"], facts["hop_samples"]
    w = np.sqrt((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)) * 2 * hop / window)
    state = {entry["input"]: np.zeros((1, *entry["shape"]), np.float32) for entry in facts["states"]}
    audio = noise(20 * hop)
    heard, sums, out = np.zeros(window), np.zeros(window), []
    for k in range(20):
        heard = np.append(heard[hop:], audio[k * hop : (k + 1) * hop])
        spectrum = np.fft.rfft(heard * w)
        parts = {"real": spectrum.real, "imaginary": spectrum.imag}
        names = [node.name for node in session.get_outputs()]
        inputs = {name: x.astype(np.float32)[None, None] for name, x in parts.items()} | state
        real, imaginary, *after = session.run(names, inputs)
        state = dict(zip(state, after, strict=True))
        sums = np.append(sums[hop:], np.zeros(hop)) + np.fft.irfft(real[0, 0] + 1j * imaginary[0, 0], window) * w
        out.append(sums[:hop])
    delayed = np.concatenate(out)[window - hop :]
    whole = graph(exported).enhance(audio, sample_rate=RATE)
    np.testing.assert_allclose(delayed, whole[: delayed.size], atol=1e-5)


def test_stereo_at_another_rate(exported: Path) -> None:
    audio, enhancer = noise(2, 30_001), graph(exported)
    with pytest.warns(UserWarning, match="content above 8000 Hz is removed") as caught:
        output = enhancer.enhance(audio, sample_rate=44_100, attenuation_limit_db=20.0)
    assert caught[0].filename == __file__
    assert output.shape == audio.shape
    with pytest.warns(UserWarning, match="8000 Hz"):
        wanted = load_torch(exported).enhance(audio, sample_rate=44_100, attenuation_limit_db=20.0)
    np.testing.assert_allclose(output, wanted, atol=1e-5)
    with pytest.warns(UserWarning, match="8000 Hz"):
        whole = enhancer.enhance(audio, sample_rate=44_100)
    np.testing.assert_allclose(streamed(enhancer, audio, 1_403, sample_rate=44_100), whole, atol=1e-5)


def test_a_dtype_is_kept(exported: Path) -> None:
    output = graph(exported).enhance(noise(1_000).astype(np.float64), sample_rate=RATE)
    assert output.dtype == np.float64


@pytest.mark.parametrize("exported", ["crn", "dpcrn", "se_mamba"], indirect=True)
def test_silence_stays_silence_behind_a_mask(exported: Path) -> None:
    silence = np.zeros((2, 8_000), np.float32)
    enhancer = graph(exported)
    assert not enhancer.enhance(silence, sample_rate=RATE).any()
    assert not streamed(enhancer, silence, 160).any()


@pytest.mark.parametrize("name", ["constant", "clipped", "impulse", "tiny", "speech after silence"])
def test_odd_signals_give_finite_output(exported: Path, name: str) -> None:
    audio = {
        "constant": np.ones(8_000),
        "clipped": np.sign(noise(8_000)),
        "impulse": np.eye(1, 8_000, 4_000)[0],
        "tiny": np.full(8_000, 1e-30),
        "speech after silence": noise(8_000) * (np.arange(8_000) > 4_000),
    }[name]
    output = graph(exported).enhance(audio.astype(np.float32), sample_rate=RATE)
    assert np.isfinite(output).all()
    np.testing.assert_allclose(
        output, load_torch(exported).enhance(audio.astype(np.float32), sample_rate=RATE), atol=1e-4
    )


def test_streams_do_not_hear_each_other_and_reset_starts_anew(exported: Path) -> None:
    enhancer, audio = graph(exported), noise(3_000)
    first, second = (enhancer.stream(sample_rate=RATE) for _ in range(2))
    parts = []
    for start in range(0, audio.size, 500):
        parts.append(first.feed(audio[start : start + 500]))
        second.feed(noise(123))
    wanted = enhancer.enhance(audio, sample_rate=RATE)
    np.testing.assert_allclose(np.concatenate([*parts, first.flush()]), wanted, atol=1e-5)
    first.reset()
    np.testing.assert_allclose(np.concatenate((first.feed(audio), first.flush())), wanted, atol=1e-5)


def test_audio_that_cannot_be_used_is_refused(exported: Path) -> None:
    with pytest.raises(AudioError, match="finite"):
        graph(exported).enhance(np.full(100, np.nan, np.float32), sample_rate=RATE)


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        (np.zeros(100, np.int16), "float array"),
        (np.zeros((2, 100), np.float32), r"must be \(1, n\)"),
        (np.zeros((1, 1, 100), np.float32), r"must be \(1, n\)"),
        (np.full(100, np.nan, np.float32), "finite"),
    ],
)
def test_a_wrong_chunk_is_refused_and_changes_nothing(exported: Path, chunk: FloatArray, message: str) -> None:
    enhancer, audio = graph(exported), noise(1_000)
    with enhancer.stream(sample_rate=RATE) as stream:
        first = stream.feed(audio[:500])
        with pytest.raises(AudioError, match=message):
            stream.feed(chunk)
        output = np.concatenate((first, stream.feed(audio[500:]), stream.flush()))
    np.testing.assert_allclose(output, enhancer.enhance(audio, sample_rate=RATE), atol=1e-5)
    with pytest.raises(ConfigError, match="flushed or closed"):
        stream.feed(audio)
    for rate in (0, 16_000.0):
        with pytest.raises(AudioError, match="`sample_rate`"):
            enhancer.stream(sample_rate=rate)  # type: ignore[arg-type]


def test_the_strength_control_and_the_peak_guard_work_in_streams(exported: Path) -> None:
    enhancer, loud = graph(exported), 50.0 * noise(4_000)
    with enhancer.stream(sample_rate=RATE, attenuation_limit_db=0.0) as stream:
        dry = np.concatenate((stream.feed(0.1 * loud), stream.flush()))
    np.testing.assert_allclose(dry, 0.1 * loud, atol=1e-6)
    with enhancer.stream(sample_rate=RATE, attenuation_limit_db=0.0) as stream:
        output = np.concatenate((stream.feed(loud), stream.flush()))
    assert np.abs(loud).max() > 1.0
    assert 0.99 < np.abs(output).max() < 1.0


def test_it_runs_on_one_thread_unless_told_otherwise(exported: Path) -> None:
    assert graph(exported)._session.get_session_options().intra_op_num_threads == 1
    two = OnnxEnhancer(exported / "model.onnx", threads=2)
    assert two._session.get_session_options().intra_op_num_threads == 2


@pytest.mark.parametrize("keep", [0, 100, 20_000, -1])
def test_a_truncated_file_is_refused(exported: Path, tmp_path: Path, keep: int) -> None:
    (tmp_path / "cut.onnx").write_bytes((exported / "model.onnx").read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"cut\.onnx"):
        load(tmp_path / "cut.onnx")


def test_a_flipped_bit_of_a_weight_is_noticed(exported: Path, tmp_path: Path) -> None:
    data = bytearray((exported / "model.onnx").read_bytes())
    largest = max(onnx.load(exported / "model.onnx").graph.initializer, key=lambda weights: len(weights.raw_data))
    data[data.index(largest.raw_data) + 5] ^= 1
    (tmp_path / "flipped.onnx").write_bytes(data)
    with pytest.raises(CheckpointError, match="damaged"):
        load(tmp_path / "flipped.onnx")


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("not a graph")
    with pytest.raises(CheckpointError, match="must be a whole ONNX graph"):
        load(tmp_path / "text.onnx")
    with pytest.raises(ConfigError, match="must be readable"):
        load(tmp_path / "nowhere.onnx")


def test_a_graph_of_another_origin_is_refused(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="that `cmkt export` wrote"):
        load(changed(exported, tmp_path / "foreign.onnx", {"author": "somebody"}))


def test_a_graph_of_a_later_version_is_refused(exported: Path, tmp_path: Path) -> None:
    card = re.sub('"format": [0-9]+', '"format": 3', graph(exported).card.dumps())
    with pytest.raises(CheckpointError, match="Upgrade cmkt"):
        load(changed(exported, tmp_path / "later.onnx", {CARD_KEY: card}))


def test_a_graph_whose_card_names_other_inputs_is_refused(exported: Path, tmp_path: Path) -> None:
    card = graph(exported).card.dumps().replace("state_0", "memory_0")
    with pytest.raises(CheckpointError, match="inputs and outputs"):
        load(changed(exported, tmp_path / "other.onnx", {CARD_KEY: card}))


def test_a_graph_that_was_changed_on_purpose_loads_without_its_seal(exported: Path, tmp_path: Path) -> None:
    assert isinstance(load(changed(exported, tmp_path / "mine.onnx", {}, keep=(CARD_KEY,))), OnnxEnhancer)
    with pytest.raises(CheckpointError, match=SEAL_KEY):
        load(changed(exported, tmp_path / "sealed.onnx", {"note": "changed"}, keep=(CARD_KEY, SEAL_KEY)))


WITHOUT_TORCH = """
import sys
class Ban:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "safetensors", "onnx", "lightning", "lhotse", "transformers"}:
            raise ModuleNotFoundError(f"{name} is banned here", name=name)
sys.meta_path.insert(0, Ban())
import warnings
import numpy as np
import cmkt
from cmkt.cli.main import main
warnings.simplefilter("ignore")
model, folder = sys.argv[1:]
audio = np.load(folder + "/audio.npy")
enhancer = cmkt.load(model)
np.save(folder + "/whole.npy", enhancer.enhance(audio, sample_rate=44100))
with enhancer.stream(sample_rate=44100, channels=2) as stream:
    parts = [stream.feed(audio[:, start : start + 700]) for start in range(0, audio.shape[1], 700)]
    np.save(folder + "/streamed.npy", np.concatenate((*parts, stream.flush()), axis=1))
sys.exit(main(["enhance", folder + "/a.wav", "--model", model, "--output", folder + "/out"]))
"""


def test_where_torch_cannot_be_imported_arrays_streams_and_files_are_enhanced(exported: Path, tmp_path: Path) -> None:
    audio = noise(2, 22_050)
    np.save(tmp_path / "audio.npy", audio)
    write_audio(tmp_path / "a.wav", audio, 44_100)
    environment = {**os.environ, "PYTHONPATH": str(Path(loading.__file__).parents[2])}
    command = [sys.executable, "-c", WITHOUT_TORCH, str(exported / "model.onnx"), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    with pytest.warns(UserWarning, match="8000 Hz"):
        wanted = load_torch(exported).enhance(audio, sample_rate=44_100)
    np.testing.assert_allclose(np.load(tmp_path / "whole.npy"), wanted, atol=1e-5)
    np.testing.assert_allclose(np.load(tmp_path / "streamed.npy"), wanted, atol=1e-5)
    assert (tmp_path / "out" / "a.wav").is_file()


def test_where_torch_cannot_be_imported_a_torch_model_says_how_to_go_on(exported: Path, tmp_path: Path) -> None:
    code = f"import sys; sys.modules['torch'] = None; import cmkt; cmkt.load({str(exported)!r})"
    environment = {**os.environ, "PYTHONPATH": str(Path(loading.__file__).parents[2])}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert "pip install 'cmkt[torch]', or export the model to ONNX" in result.stderr
