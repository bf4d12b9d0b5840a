from __future__ import annotations

import pytest
import torch

from cmkt.errors import ConfigError, LayerError
from cmkt.transfer.layout import parse_layout, reading_of


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("b t c", (2, 5, 3)),
        ("b c t", (2, 3, 5)),
        ("t b c", (5, 2, 3)),
        ("b t f", (2, 5, 3)),
        ("b c f t", (2, 3, 7, 5)),
        ("b t f c", (2, 5, 7, 3)),
        ("b f t c", (2, 7, 5, 3)),
        ("b c t f", (2, 3, 5, 7)),
    ],
)
def test_every_layout_gives_batch_time_width(text: str, shape: tuple[int, ...]) -> None:
    output = torch.randn(shape)
    frames = parse_layout(text).to_frames(output)
    assert frames.shape == (2, 5, output.numel() // 10)
    at = tuple(slice(None) if name in "cf" else {"b": 1, "t": 4}[name] for name in text.split())
    assert frames[1, 4].sort().values.equal(output[at].flatten().sort().values)


def test_width_is_ordered_alike_whatever_the_layout() -> None:
    output = torch.randn(2, 5, 7, 3)
    expected = parse_layout("b t f c").to_frames(output)
    assert parse_layout("b c f t").to_frames(output.permute(0, 3, 2, 1)).equal(expected)


def test_complex_output_gives_real_and_imaginary_parts() -> None:
    frames = parse_layout("b t c").to_frames(torch.tensor([[[1.0 + 2.0j, 3.0 + 4.0j]]]))
    assert frames.tolist() == [[[1.0, 2.0, 3.0, 4.0]]]


@pytest.mark.parametrize("text", ["", "b t", "t c", "b c", "b t c c", "b t c x", "btc"])
def test_bad_layout_is_an_error_that_shows_a_good_one(text: str) -> None:
    with pytest.raises(ConfigError, match=r"`layout` must name each axis once.*b c f t"):
        parse_layout(text)


def test_wrong_rank_is_an_error_with_both_ranks() -> None:
    with pytest.raises(LayerError, match=r'is "b t c" for an output of shape \(2, 3\)'):
        parse_layout("b t c").to_frames(torch.zeros(2, 3))


def test_layout_prints_as_it_was_written() -> None:
    assert str(parse_layout("b  c f t")) == "b c f t"


def test_a_function_of_the_users_makes_frames_of_any_output() -> None:
    reading = reading_of(lambda output: output["x"].transpose(1, 2), "encoder")
    assert reading({"x": torch.zeros(2, 3, 5)}).shape == (2, 5, 3)


@pytest.mark.parametrize("made", [torch.zeros(2, 5), torch.zeros(2, 5, 3).long(), None])
def test_a_function_that_makes_no_frames_is_an_error_that_says_what_it_made(made: object) -> None:
    with pytest.raises(LayerError, match=r"real frames .* of 'encoder' it made"):
        reading_of(lambda _: made, "encoder")(torch.zeros(2, 5, 3))  # type: ignore[arg-type]


def test_a_layout_that_is_neither_text_nor_function_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"`layout` must be a string .* but is 3"):
        reading_of(3, "encoder")  # type: ignore[arg-type]


def test_readings_print_as_errors_show_them() -> None:
    assert str(reading_of("b  c t", "encoder")) == '"b c t"'
    assert str(reading_of(torch.real, "encoder")) == "real"
