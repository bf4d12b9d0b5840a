"""Exporting: the graph, its metadata, and what cannot be exported."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from cmkt.errors import CheckpointError, ConfigError, MissingExtraError
from cmkt.inference.card import read_card, sha256_of
from cmkt.inference.export import TOLERANCE, export_model, export_saved
from cmkt.inference.graph_card import CARD_KEY, SEAL_KEY
from cmkt.inference.onnx import OnnxEnhancer
from cmkt.models.crn import CRN
from cmkt.spectral.stft import STFT


class Gain(nn.Module):
    """A model of an outsider: an exponential average of the magnitude turns each bin down."""

    causal, sample_rate, latency_samples = True, 8_000, 192

    def __init__(self) -> None:
        super().__init__()
        self.stft = STFT(128, 64)
        self.level = nn.Parameter(torch.full((65,), 0.3))

    def forward(self, noisy: Tensor) -> Tensor:
        enhanced, _ = self.enhance_frames(self.stft.analyse(noisy), self.initial_state(noisy.shape[0]))
        return self.stft.synthesise(enhanced, noisy.shape[-1])

    def initial_state(self, batch: int) -> list[Tensor]:
        return [self.level.new_zeros(batch, 1, 65)]

    def enhance_frames(self, spectrum: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        real, imaginary, after = self.enhance_parts(spectrum.real, spectrum.imag, state)
        return torch.complex(real, imaginary), after

    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        past = torch.cat((state[0], real.square() + imaginary.square()), dim=1)
        gain = self.level / (self.level + past[:, :-1])
        return real * gain, imaginary * gain, [past[:, -1:]]


class WithoutParts(Gain):
    enhance_parts = None  # type: ignore[assignment]


class Forgetful(Gain):
    """Gives back the state it got: right in one block, wrong frame by frame."""

    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        return *super().enhance_parts(real, imaginary, state)[:2], state


class Fixed(Gain):
    """Asks how many frames there are, which a graph cannot."""

    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        gain = 0.5 if int(real.shape[1]) == 1 else 0.6
        return gain * real, gain * imaginary, state


class Baked(Gain):
    """Keeps the number of frames that it was traced with."""

    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        return real.reshape(real.shape[0], int(real.shape[1]), 5, 13).flatten(2), imaginary, state


class Sorted(Gain):
    """Uses an operation that ONNX has not."""

    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        return torch.special.bessel_j0(real), imaginary, state


class SortedWaves(nn.Module):
    """A model of waveforms that uses one, too."""

    causal, sample_rate, latency_samples, hop_samples, delay_samples = True, 8_000, 64, 64, 0

    def initial_state(self, batch: int) -> list[Tensor]:
        return [torch.zeros(batch, 1)]

    def enhance_samples(self, noisy: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return torch.special.bessel_j0(noisy), state


class Preset(Gain):
    def initial_state(self, batch: int) -> list[Tensor]:
        return [self.level.new_ones(batch, 1, 65)]


class BatchLast(Gain):
    def initial_state(self, batch: int) -> list[Tensor]:
        return [self.level.new_zeros(1, 65, batch)]


def test_the_metadata_hold_all_that_a_runtime_needs(exported: Path) -> None:
    card, source = OnnxEnhancer(exported / "model.onnx").card, read_card(exported / "model.json")
    assert card.weights_sha256 == source.sha256 == sha256_of(exported / "model.safetensors")
    assert card.class_path == source.class_path
    assert card.sample_rate == 16_000
    assert card.latency_samples == card.window_samples + (0 if card.of_waveforms else card.hop_samples)
    assert card.training == {"commit": "abc"}
    assert all(state.shape for state in card.states)


@pytest.mark.parametrize("exported", ["demucs"], indirect=True)
def test_channels_and_samples_of_a_graph_of_waveforms_are_free(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported / "model.onnx")
    first, *states = session.get_inputs()
    assert (first.name, first.shape) == ("noisy", ["channels", "samples"])
    assert [node.shape[0] for node in states] == ["channels"] * len(states)


@pytest.mark.parametrize("exported", ["crn", "dpcrn", "se_mamba"], indirect=True)
def test_channels_and_frames_are_free_and_nothing_else_is(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported / "model.onnx")
    card = OnnxEnhancer(exported / "model.onnx").card
    bins = card.window_samples // 2 + 1
    shapes = {node.name: node.shape for node in session.get_inputs()}
    assert shapes["real"] == shapes["imaginary"] == ["channels", "frames", bins]
    assert [shapes[state.input] for state in card.states] == [["channels", *state.shape] for state in card.states]


def test_the_graph_holds_no_norms_of_batches_and_no_paths_of_this_machine(exported: Path) -> None:
    model = onnx.load(exported / "model.onnx")
    onnx.checker.check_model(model)
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    assert b".py" not in (exported / "model.onnx").read_bytes()
    assert {entry.key for entry in model.metadata_props} == {CARD_KEY, SEAL_KEY}


def test_a_convolutional_network_computes_no_shapes_frame_by_frame(crn: nn.Module, tmp_path: Path) -> None:
    graph = onnx.load(export_model(crn, tmp_path / "a.onnx").path).graph
    assert not {"Shape", "ConstantOfShape"} & {node.op_type for node in graph.node}


def test_exporting_leaves_the_model_as_it_is(crn: nn.Module, tmp_path: Path) -> None:
    before = {name: value.clone() for name, value in crn.state_dict().items()}
    done = export_model(crn.train(), tmp_path / "a.onnx")
    assert crn.training
    assert list(before) == list(crn.state_dict())
    assert all(torch.equal(before[name], value) for name, value in crn.state_dict().items())
    assert done.difference < TOLERANCE / 10
    assert done.bytes == (tmp_path / "a.onnx").stat().st_size


def test_a_model_in_double_precision_gives_a_graph_in_single(tmp_path: Path) -> None:
    model = CRN(channels=(4,), hidden=4).double()
    assert export_model(model, tmp_path / "a.onnx").difference < TOLERANCE
    assert model.expand.weight.dtype == torch.float64


def test_a_model_from_outside_exports(tmp_path: Path) -> None:
    export_model(Gain(), tmp_path / "gain.onnx")
    audio = (0.1 * np.random.default_rng(0).standard_normal(2_000)).astype(np.float32)
    with torch.no_grad():
        wanted = Gain()(torch.from_numpy(audio)[None])[0].numpy()
    output = OnnxEnhancer(tmp_path / "gain.onnx").enhance(audio, sample_rate=8_000)
    np.testing.assert_allclose(output, wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Identity(), "must be causal .* Identity needs the whole utterance"),
        (WithoutParts(), "must have `enhance_parts"),
        (Preset(), "must be zeros"),
        (BatchLast(), r"shape \(batch, ...\)"),
    ],
)
def test_what_cannot_run_frame_by_frame_is_refused(model: nn.Module, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        export_model(model, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_model_that_needs_the_future_is_refused(blstm: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="BLSTM needs the whole utterance"):
        export_model(blstm, tmp_path / "a.onnx")


def test_a_causal_model_without_state_is_refused(tmp_path: Path) -> None:
    model = nn.Identity()
    model.causal = True  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="must run frame by frame"):
        export_model(model, tmp_path / "a.onnx")


def test_a_graph_that_differs_from_the_model_is_not_written(tmp_path: Path) -> None:
    for model in (Fixed(), Forgetful()):
        with pytest.raises(
            CheckpointError, match=r"whole and frame by frame, must agree with the model within 0\.0001"
        ):
            export_model(model, tmp_path / "a.onnx")
        assert not list(tmp_path.iterdir())


def test_a_graph_that_runs_at_one_number_of_frames_only_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"any number of channels and frames, but does not: (?s:.*)Baked must not turn"
    ):
        export_model(Baked(), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_an_operation_that_onnx_has_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="bessel_j0"):
        export_model(Sorted(), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_model_of_waveforms_is_told_the_method_that_it_has(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="`enhance_samples` must consist of operations that ONNX has"):
        export_model(SortedWaves(), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_missing_exporter_names_the_extra(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"cmkt\[export\]"):
        export_saved(saved, tmp_path / "a.onnx")
