"""Pictures of an evaluation as PNG files: spectrograms side by side, and loss curves.

Drawn without pyplot, so that nothing global changes and no display is needed. Needs the extra `report`.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.signal import get_window

from cmkt.audio.write import atomic_path
from cmkt.errors import AudioError, ConfigError, DataError, MissingExtraError, extra_hint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cmkt.types import FloatArray

WINDOW_SECONDS = 0.032
HOP_SECONDS = 0.008
RANGE_DB = 70.0
FLOOR = 1e-10
LOSSES = ("enhancement", "transfer")
FEW_POINTS = 30
STYLES: dict[str, dict[str, Any]] = {"train": {"lw": 0.8, "alpha": 0.4}, "dev": {"lw": 1.8}}


def spectrogram_db(audio: FloatArray, *, sample_rate: int) -> FloatArray:
    """Power in dB re full scale sine, (bins, frames): a Hann window of 32 ms every 8 ms, at least one frame.

    Shape: audio (T,); frames = max(1, 1 + floor((T - window) / hop)), with shorter audio padded to one window.
    """
    window_samples, hop = round(WINDOW_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    padded = np.pad(np.asarray(audio, dtype=np.float64), (0, max(0, window_samples - len(audio))))
    window = get_window("hann", window_samples)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window_samples)[::hop] * window
    amplitude = np.abs(np.fft.rfft(frames, axis=-1)) * 2 / window.sum()
    decibels: FloatArray = 20 * np.log10(np.maximum(amplitude, FLOOR)).T
    return decibels


def spectrogram_triple(
    path: Path, *, noisy: FloatArray, enhanced: FloatArray, clean: FloatArray, sample_rate: int, title: str = ""
) -> None:
    """Draws three spectrograms of equal length under each other, on one colour scale of 70 dB below the loudest point.

    Shape: each (T,).

    Raises: AudioError where their lengths differ or they are empty; MissingExtraError without matplotlib.
    """
    pictures = {"noisy": noisy, "enhanced": enhanced, "clean": clean}
    shapes = {name: np.shape(audio) for name, audio in pictures.items()}
    if len(set(shapes.values())) != 1 or len(shapes["noisy"]) != 1 or shapes["noisy"][0] == 0:
        raise AudioError(f"The three signals must have one shape (time,) and not be empty, but are {shapes}.")
    levels = {name: spectrogram_db(audio, sample_rate=sample_rate) for name, audio in pictures.items()}
    top = max(float(level.max()) for level in levels.values())
    figure = new_figure(8.0, 7.5)
    axes = figure.subplots(3, 1, sharex=True)
    extent = (0.0, len(noisy) / sample_rate, 0.0, sample_rate / 2000)
    for axis, (name, level) in zip(axes, levels.items(), strict=True):
        image = axis.imshow(
            level, origin="lower", aspect="auto", extent=extent, vmin=top - RANGE_DB, vmax=top, cmap="magma"
        )
        axis.set_ylabel("frequency (kHz)")
        axis.set_title(name, loc="left", fontsize=10)
    axes[-1].set_xlabel("time (s)")
    figure.colorbar(image, ax=axes, label="level (dB re full scale)")
    if title:
        figure.suptitle(title)
    save_figure(figure, path)


def loss_curves(path: Path, logs: Mapping[str, Path], *, losses: Sequence[str] = LOSSES) -> None:
    """Draws the losses in the `metrics.csv` of some runs over the training step.

    One panel for each loss that some log has, one colour for each run, thin for training and thick for dev. `logs` maps
    the name of a run to its metrics.csv; a column is called after its split and loss, as in "dev/enhancement".

    Raises: ConfigError where no run is given; DataError where a log is missing or none has such a loss;
    MissingExtraError without matplotlib.
    """
    if not logs:
        raise ConfigError("`logs` must name at least one run, but is empty.")
    curves = {name: read_curves(log) for name, log in logs.items()}
    present = {column for own in curves.values() for column in own}
    drawn = [loss for loss in losses if any(column.endswith(f"/{loss}") for column in present)]
    if not drawn:
        raise DataError(f"The logs must have a loss among {', '.join(losses)}, but have {sorted(present)}.")
    figure = new_figure(8.0, 2.8 * len(drawn) + 0.6)
    axes = figure.subplots(len(drawn), 1, squeeze=False)[:, 0]
    for axis, loss in zip(axes, drawn, strict=True):
        for number, (name, own) in enumerate(curves.items()):
            for split, style in STYLES.items():
                if f"{split}/{loss}" in own:
                    steps, values = own[f"{split}/{loss}"]
                    marker = "." if len(steps) < FEW_POINTS else None
                    axis.plot(steps, values, label=f"{name}, {split}", color=f"C{number}", marker=marker, **style)
        axis.set_ylabel(f"{loss} loss")
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=8)
    axes[-1].set_xlabel("training step")
    save_figure(figure, path)


def read_curves(log: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Each numeric column of a Lightning metrics.csv as (steps, values), without the rows where it is empty.

    Raises: DataError where the log is missing, or has no column `step`.
    """
    if not log.is_file():
        raise DataError(f"`{log}` must be the metrics.csv of a training run, but does not exist.")
    with log.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if "step" not in (reader.fieldnames or ()):
            raise DataError(f"`{log}` must have a column `step`, but has {reader.fieldnames}.")
        curves: dict[str, tuple[list[int], list[float]]] = {}
        for row in reader:
            for column, text in row.items():
                if text and column not in ("step", "epoch"):
                    steps, values = curves.setdefault(column, ([], []))
                    steps.append(int(float(row["step"])))
                    values.append(float(text))
    return curves


def new_figure(width: float, height: float) -> Any:
    """A figure of that size in inches. Raises: MissingExtraError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(extra_hint("matplotlib", "report")) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Any, path: Path) -> None:
    """Writes a figure as PNG, whole or not at all, and makes the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")
