from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from cmkt.evaluation.report.png import MAGMA, STEPS, levels_png, palette, png_uri


def test_a_picture_decodes_to_the_colours_of_its_levels_with_the_first_row_at_the_bottom() -> None:
    levels = np.array([[0.0, 1.0, 2.0], [2.0, -9.0, 99.0]])
    image = Image.open(io.BytesIO(levels_png(levels, low=0.0, high=2.0)))
    image.load()
    assert image.size == (3, 2)
    pixels = np.asarray(image.convert("RGB"))
    dark, bright = MAGMA[0], MAGMA[-1]
    assert pixels[1, 0].tolist() == list(dark)
    assert pixels[0].tolist() == [list(bright), list(dark), list(bright)]
    assert pixels[1, 2].tolist() == list(bright)


def test_the_palette_grows_lighter_step_by_step() -> None:
    lightness = palette().astype(float) @ [0.299, 0.587, 0.114]
    assert len(lightness) == STEPS
    assert (np.diff(lightness) > 0).all()


def test_equal_levels_are_one_colour_whatever_the_range() -> None:
    image = Image.open(io.BytesIO(levels_png(np.zeros((2, 2)), low=0.0, high=0.0)))
    assert len(set(np.asarray(image).ravel().tolist())) == 1


def test_the_uri_holds_the_picture() -> None:
    content = levels_png(np.zeros((1, 1)), low=0.0, high=1.0)
    head, _, data = png_uri(content).partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == content
