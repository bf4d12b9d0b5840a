"""Files over several processes: the same outputs, and what is left when one dies or Ctrl-C comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cmkt.audio.write import write_audio
from cmkt.errors import CheckpointError, ConfigError
from cmkt.inference.destinations import arrange
from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.files import enhance_files
from cmkt.inference.load import load
from cmkt.inference.stream import Stream
from cmkt.inference.workers import enhance_in_processes

if TYPE_CHECKING:
    from cmkt.types import FloatArray

ROOT = Path(__file__).resolve().parents[2]
FATAL = 0.9
"""Samples of this value end the process that gets them."""


class Same:
    """A processor that gives back what it gets, after a pause, and dies of one value."""

    def __init__(self, pause_seconds: float) -> None:
        self._pause_seconds = pause_seconds

    def feed(self, audio: FloatArray) -> FloatArray:
        if (audio > FATAL - 0.01).any():
            os._exit(9)
        time.sleep(self._pause_seconds)
        return audio

    def flush(self) -> FloatArray:
        return np.zeros((1, 0), dtype=np.float32)


class Fake:
    """An enhancer without a model."""

    sample_rate = 16_000

    def __init__(self, pause_seconds: float = 0.0) -> None:
        self._pause_seconds = pause_seconds

    def stream(
        self,
        *,
        sample_rate: int,
        channels: int = 1,
        attenuation_limit_db: float | None = None,
        window_seconds: float | None = None,
    ) -> Stream:
        return Stream(
            partial(Same, self._pause_seconds),
            sample_rate=sample_rate,
            model_rate=sample_rate,
            channels=channels,
            processor_seconds=0.0,
        )


def die() -> Fake:
    os._exit(7)


def unusable() -> Fake:
    raise CheckpointError("no such weights")


def broken() -> Fake:
    raise RuntimeError("no such device")


def be_killed() -> Fake:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def threads_of(folder: Path) -> Fake:
    """A fake that notes how many threads torch would use in its process."""
    import torch

    (folder / str(os.getpid())).write_text(f"{torch.get_num_threads()} {os.environ['OMP_NUM_THREADS']}")
    return Fake()


def sound(path: Path, *, samples: int = 4_001, rate: int = 16_000, value: float | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = 0.05 * np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    write_audio(path, audio if value is None else np.full(samples, value, np.float32), rate)
    return path


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.filterwarnings("ignore:The model works at")
def test_outputs_are_those_of_one_process(enhancer: TorchEnhancer, saved: Path, tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "deep" / "b.wav", samples=20_000, rate=44_100)
    (tmp_path / "in" / "bad.wav").write_bytes(b"nothing")
    one = enhance_files(enhancer, [tmp_path / "in"], tmp_path / "one")
    seconds: list[float] = []
    two = enhance_in_processes(
        partial(load, saved), arrange([tmp_path / "in"], tmp_path / "two"), processes=2, on_progress=seconds.append
    )
    assert names(tmp_path / "two") == names(tmp_path / "one") == ["a.wav", str(Path("deep", "b.wav"))]
    for name in names(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert [path.name for path, _ in two.failed] == [path.name for path, _ in one.failed] == ["bad.wav"]
    assert two.written == [tmp_path / "two" / path.relative_to(tmp_path / "one") for path in one.written]
    assert sum(seconds) == pytest.approx(two.audio_seconds) == pytest.approx(one.audio_seconds)


def test_a_warning_of_a_process_is_one_of_this_process(saved: Path, tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav", rate=48_000)
    with pytest.warns(UserWarning, match="content above 8000 Hz is removed"):
        enhance_in_processes(partial(load, saved), arrange([source], tmp_path / "out"), processes=1)


def test_a_file_that_kills_its_process_loses_no_other_and_leaves_nothing(tmp_path: Path) -> None:
    for name in "abcde":
        sound(tmp_path / "in" / f"{name}.wav", value=FATAL if name in "bd" else 0.1)
    outcome = enhance_in_processes(Fake, arrange([tmp_path / "in"], tmp_path / "out"), processes=2)
    assert names(tmp_path / "out") == ["a.wav", "c.wav", "e.wav"]
    assert [path.name for path, _ in outcome.failed] == ["b.wav", "d.wav"]
    assert all("its process died (exit code 9" in reason for _, reason in outcome.failed)


def test_an_enhancer_that_cannot_be_loaded_is_the_error_that_loading_gives(tmp_path: Path) -> None:
    jobs = arrange([sound(tmp_path / "a.wav"), sound(tmp_path / "b.wav")], tmp_path / "out")
    with pytest.raises(CheckpointError, match="no such weights"):
        enhance_in_processes(unusable, jobs, processes=2)
    with pytest.raises(ConfigError, match="must start and load the model, but it died") as died:
        enhance_in_processes(die, jobs, processes=2)
    assert "fewer processes" not in str(died.value)
    with pytest.raises(ConfigError, match="must load in each process, but: RuntimeError: no such device"):
        enhance_in_processes(broken, jobs, processes=1)
    with pytest.raises(ConfigError, match="killed, perhaps for lack of memory: use fewer processes"):
        enhance_in_processes(be_killed, jobs, processes=1)
    with pytest.raises(ConfigError, match="at least 1"):
        enhance_in_processes(Fake, jobs, processes=0)


def test_each_process_computes_in_one_thread_and_none_starts_in_vain(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    jobs = arrange([sound(tmp_path / "a.wav"), sound(tmp_path / "b.wav")], tmp_path / "out")
    enhance_in_processes(partial(threads_of, tmp_path / "notes"), jobs, processes=5)
    assert [note.read_text() for note in (tmp_path / "notes").iterdir()] == ["1 1", "1 1"]


def test_nothing_to_do_starts_nothing(tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav")
    sound(tmp_path / "out" / "a.wav")
    outcome = enhance_in_processes(die, arrange([source], tmp_path / "out", on_existing="skip"), processes=2)
    assert outcome.skipped == [tmp_path / "out" / "a.wav"]


INTERRUPTIBLE = """
import signal, sys
from functools import partial
from cmkt.inference.destinations import arrange
from cmkt.inference.workers import enhance_in_processes
from tests.inference.test_workers import Fake
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    enhance_in_processes(partial(Fake, 0.5), arrange([sys.argv[1]], sys.argv[2]), processes=2)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("everyone", [True, False])
def test_ctrl_c_leaves_no_half_file_and_no_process(tmp_path: Path, everyone: bool) -> None:
    """As a terminal sends it, to every process, and as `kill -INT` does, to the first alone."""
    sound(tmp_path / "in" / "a.wav", samples=100)
    for name in "bc":
        sound(tmp_path / "in" / f"{name}.wav", samples=4_000 * 1_000, rate=4_000)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, tmp_path / "in", tmp_path / "out"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    while process.poll() is None and len(list((tmp_path / "out").glob(".*.part.[bc].wav"))) < 2:
        time.sleep(0.05)
    (os.killpg if everyone else os.kill)(process.pid, signal.SIGINT)
    _, errors = process.communicate()  # until no process has the end of the pipe any more
    assert (process.returncode, errors) == (130, "")
    assert names(tmp_path / "out") == ["a.wav"]


def test_processes_and_pipes_import_no_torch() -> None:
    code = "import sys, cmkt.inference.workers, cmkt.inference.pipe; print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert result.stdout.strip() == "False", result.stderr
