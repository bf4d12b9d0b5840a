"""The wheel in a clean environment: the base install enhances with the model inside it, and has no torch.

One test, as setting up takes about 15 s. Skipped where pip reaches no package registry.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cmkt.audio.read import audio_info
from cmkt.audio.write import write_audio
from cmkt.inference.export import export_saved
from cmkt.inference.load import load_torch
from cmkt.inference.save import save_model
from cmkt.models.dpcrn import DPCRN

ROOT = Path(__file__).resolve().parents[1]
RATE = 16_000

SCRIPT = """
import importlib.resources, importlib.util, sys
import numpy as np
import cmkt
folder = sys.argv[1]
assert importlib.util.find_spec("torch") is None
audio = np.load(folder + "/audio.npy")
templates = importlib.resources.files("cmkt") / "evaluation" / "report" / "templates"
assert all((templates / name).is_file() for name in ("report.html.j2", "report.css", "report.js"))
enhancer = cmkt.load("default")
np.save(folder + "/whole.npy", enhancer.enhance(audio, sample_rate=16000))
with enhancer.stream(sample_rate=16000) as stream:
    parts = [stream.feed(audio[start : start + 250]) for start in range(0, audio.size, 250)]
    np.save(folder + "/streamed.npy", np.concatenate((*parts, stream.flush())))
try:
    cmkt.load("default", device="cpu")
except ImportError as error:
    print(error)
"""


def environment() -> dict[str, str]:
    """Without anything that leads to this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment(), check=False)


def pip(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of what a wheel is built from; with a small default model where none ships yet."""
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    default = copy / "src" / "cmkt" / "inference" / "default"
    if not (default / "model.onnx").exists():
        torch.manual_seed(0)
        save_model(DPCRN(linear_bins=24, merged_bands=20, channels=(4, 6), kernels=(3, 3), hidden=8), default)
        export_saved(default, default / "model.onnx")
    return copy


@pytest.fixture
def installed(source: Path, tmp_path: Path) -> Path:
    """The programs of a new environment with the wheel and what it asks for."""
    folder = tmp_path / "installed"
    reached = pip("download", "--quiet", "--no-deps", "--no-cache-dir", "--dest", folder, "--retries", "1", "hatchling")
    if reached.returncode:
        pytest.skip(f"needs a package registry, but pip reaches none: {reached.stderr.strip().splitlines()[-1]}")
    built = pip("wheel", "--quiet", "--no-deps", "--wheel-dir", folder / "dist", source)
    assert built.returncode == 0, built.stderr
    (wheel,) = (folder / "dist").glob("cmkt-*.whl")
    assert run(sys.executable, "-m", "venv", "--without-pip", folder / "venv").returncode == 0
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    done = pip("--python", programs / "python", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
    assert done.returncode == 0, done.stderr
    return programs


def test_the_base_install_enhances_arrays_streams_and_files_without_torch(
    installed: Path, source: Path, tmp_path: Path
) -> None:
    audio = (0.05 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    np.save(tmp_path / "audio.npy", audio)
    result = run(installed / "python", "-I", "-c", SCRIPT, tmp_path)
    assert result.returncode == 0, result.stderr
    assert "pip install 'cmkt[torch]'" in result.stdout
    wanted = load_torch(source / "src" / "cmkt" / "inference" / "default").enhance(audio, sample_rate=RATE)
    np.testing.assert_allclose(np.load(tmp_path / "whole.npy"), wanted, atol=1e-4)
    np.testing.assert_allclose(np.load(tmp_path / "streamed.npy"), np.load(tmp_path / "whole.npy"), atol=1e-5)

    write_audio(tmp_path / "a.flac", np.zeros((2, 20_000), np.float32), 44_100)
    result = run(installed / "cmkt", "enhance", tmp_path / "a.flac", "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert audio_info(tmp_path / "out" / "a.flac").sample_rate == 44_100
    piped = subprocess.run(
        [installed / "cmkt", "stream", "--sample-rate", "16000", "--format", "f32le"],
        input=audio.tobytes(),
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert piped.returncode == 0, piped.stderr
    np.testing.assert_allclose(np.frombuffer(piped.stdout, "<f4"), np.load(tmp_path / "whole.npy"), atol=1e-5)
    result = run(installed / "cmkt", "export", "default", "--output", tmp_path / "a.onnx")
    assert result.returncode == 2
    assert "pip install 'cmkt[export]'" in result.stderr
    assert "\n  export " in run(installed / "cmkt", "--help").stdout
