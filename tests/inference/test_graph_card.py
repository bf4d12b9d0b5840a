"""What a graph says about itself."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from cmkt.errors import CheckpointError
from cmkt.inference.graph_card import (
    CARD_KEY,
    NO_WINDOW,
    SEAL_KEY,
    UNSEALED,
    WAVE_FORMAT,
    GraphCard,
    State,
    check_seal,
    parse_graph_card,
    seal,
)

CARD = GraphCard(
    sample_rate=16_000,
    window_samples=400,
    hop_samples=200,
    latency_samples=600,
    states=(State("state_0", "next_state_0", (3, 1, 201)),),
    class_path="cmkt.models.crn.CRN",
    weights_sha256="ab",
    training={"commit": "abc"},
)


def metadata(**changes: Any) -> dict[str, str]:
    return {CARD_KEY: json.dumps({**json.loads(CARD.dumps()), **changes})}


def test_a_card_reads_as_it_was_written() -> None:
    assert parse_graph_card(metadata(), "x.onnx") == CARD


def test_inputs_and_outputs_are_the_parts_of_the_spectrum_and_then_the_state() -> None:
    assert CARD.inputs == ["real", "imaginary", "state_0"]
    assert CARD.outputs == ["enhanced_real", "enhanced_imaginary", "next_state_0"]


def test_a_graph_of_another_origin_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"x\.onnx must be a graph that `cmkt export` wrote"):
        parse_graph_card({"author": "somebody"}, "x.onnx")


def test_a_later_format_asks_for_an_upgrade() -> None:
    with pytest.raises(CheckpointError, match=r"must have format 1 or 2, but has 3 .*Upgrade cmkt"):
        parse_graph_card(metadata(format=WAVE_FORMAT + 1, something="new"), "x.onnx")


def test_a_graph_of_waveforms_has_no_window_and_takes_samples() -> None:
    card = parse_graph_card(metadata(format=WAVE_FORMAT, window=NO_WINDOW, window_samples=200), "x.onnx")
    assert card.of_waveforms
    assert not CARD.of_waveforms
    assert card.inputs == ["noisy", "state_0"]
    assert card.outputs == ["enhanced", "next_state_0"]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": WAVE_FORMAT},
        {"window": NO_WINDOW},
        {"format": WAVE_FORMAT, "window": NO_WINDOW, "window_samples": 300},
        {"format": WAVE_FORMAT, "window": NO_WINDOW, "window_samples": 100},
    ],
)
def test_a_graph_is_of_spectra_or_of_waveforms_and_not_half_of_each(changes: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="must be what this version writes"):
        parse_graph_card(metadata(**changes), "x.onnx")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3", '{"format": 1}', '{"format": 1, "states": []}'])
def test_text_that_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match=r"x\.onnx"):
        parse_graph_card({CARD_KEY: text}, "x.onnx")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample_rate", "16k"),
        ("hop_samples", 0),
        ("hop_samples", 150),
        ("window_samples", 200),
        ("latency_samples", None),
        ("class_path", 3),
        ("weights_sha256", None),
        ("window", "hamming"),
        ("states", [{"input": "a", "output": "b", "shape": [0]}]),
        ("states", [{"input": "a"}]),
        ("colour", "red"),
    ],
)
def test_a_field_that_cannot_be_is_named(name: str, value: object) -> None:
    with pytest.raises(CheckpointError, match="must be what this version writes") as caught:
        parse_graph_card(metadata(**{name: value}), "x.onnx")
    if name not in {"states", "window_samples"}:
        assert name in str(caught.value)


def test_the_seal_is_the_sum_of_the_file_with_zeros_in_its_place() -> None:
    plain = b"weights " + UNSEALED.encode() + b" more"
    sealed = seal(plain)
    digits = hashlib.sha256(plain).hexdigest()
    assert sealed == b"weights " + digits.encode() + b" more"
    check_seal(sealed, {SEAL_KEY: digits}, "x.onnx")
    with pytest.raises(CheckpointError, match="damaged"):
        check_seal(sealed.replace(b"more", b"mire"), {SEAL_KEY: digits}, "x.onnx")


def test_a_graph_that_was_changed_on_purpose_loses_its_seal() -> None:
    check_seal(b"quantised", {}, "x.onnx")
