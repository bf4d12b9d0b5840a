"""`cmkt stream`, run as a shell runs it: in a pipe."""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cmkt.cli import stream
from cmkt.cli.main import main
from cmkt.errors import AudioError, ConfigError
from cmkt.inference.load import load
from cmkt.inference.save import save_model
from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN

ROOT = Path(__file__).resolve().parents[2]
START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from cmkt.cli.main import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A run directory with a small enhancer."""
    torch.manual_seed(0)
    save_model(CRN(channels=(4, 4), hidden=8), tmp_path / "run" / "enhancer")
    return tmp_path / "run"


def samples(count: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return (3_000 * np.random.default_rng(0).standard_normal(count)).astype("<i2")


def piped(*words: str | Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", START, "stream", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    stream.add_arguments(parser)
    return parser.parse_args(words)


def test_a_pipe_gives_what_an_array_gives_and_says_latency_and_speed(model: Path) -> None:
    noisy = samples(8_001)
    process = piped("--model", model, "--sample-rate", "16000", "--attenuation-limit-db", "12")
    output, errors = process.communicate(noisy.tobytes())
    assert process.returncode == 0, errors
    wanted = load(model).enhance(noisy / np.float32(32_768), sample_rate=16_000, attenuation_limit_db=12.0)
    np.testing.assert_allclose(np.frombuffer(output, "<i2") / 32_768, wanted, atol=1.1 / 32_768)
    first, last = errors.decode().splitlines()
    assert first == "latency 37.5 ms; 16000 Hz, channels: 1, s16le; the model works at 16000 Hz"
    assert re.fullmatch(r"0\.50 s of audio, real-time factor \d+\.\d+.*", last)


def test_floats_of_two_channels_at_another_rate_keep_their_number(model: Path) -> None:
    data = (samples(20_000) / np.float32(32_768)).astype("<f4").tobytes()
    process = piped("--model", model, "--sample-rate", "44100", "--channels", "2", "--format", "f32le")
    output, errors = process.communicate(data + b"abc")
    assert (process.returncode, len(output)) == (0, len(data))
    lines = errors.decode().splitlines()
    assert lines[0] == "warning: The model works at 16000 Hz: content above 8000 Hz is removed."
    assert lines[2] == "warning: the input ended within a sample; 3 bytes were left out"


def test_a_model_that_needs_the_future_says_so_and_its_windows_can_be_chosen(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = save_model(BLSTM(hidden=8, layers=1, dense=8), tmp_path / "blstm")
    noisy = samples(12_000)
    process = piped("--model", model, "--sample-rate", "16000")
    output, errors = process.communicate(noisy.tobytes())
    assert (process.returncode, len(output)) == (0, 2 * 12_000)
    warned, stated, _ = errors.decode().splitlines()
    assert warned.startswith("warning: The model does not run frame by frame")
    assert stated.startswith("latency 4000.0 ms; ")
    process = piped("--model", model, "--sample-rate", "16000", "--window-seconds", "0.5")
    output, errors = process.communicate(noisy.tobytes())
    assert errors.decode().splitlines()[0].startswith("latency 500.0 ms; ")
    with load(model).stream(sample_rate=16_000, window_seconds=0.5) as opened:
        wanted = np.concatenate((opened.feed(noisy / np.float32(32_768)), opened.flush()))
    np.testing.assert_allclose(np.frombuffer(output, "<i2") / 32_768, wanted, atol=1.1 / 32_768)


def test_windows_of_a_causal_model_are_refused(model: Path) -> None:
    process = piped("--model", model, "--sample-rate", "16000", "--window-seconds", "2")
    _, errors = process.communicate(b"")
    assert process.returncode == 2
    assert errors.decode().startswith("error: `--window-seconds` must belong to a model that needs the future, but ")


def first_answer(process: subprocess.Popen[bytes]) -> bytes:
    """What comes back for a tenth of a second at 16 kHz, while the pipe stays open."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(samples(1_600).tobytes())
    process.stdin.flush()
    return os.read(process.stdout.fileno(), 65_536)


def test_a_block_is_answered_while_the_pipe_stays_open(model: Path) -> None:
    process = piped("--model", model, "--sample-rate", "16000")
    answer = first_answer(process)
    assert len(answer) >= 2 * (1_600 - 600)
    rest, _ = process.communicate()
    assert len(answer) + len(rest) == 2 * 1_600


def test_ctrl_c_ends_the_input_without_a_traceback_and_without_a_loss(model: Path) -> None:
    process = piped("--model", model, "--sample-rate", "16000")
    answer = first_answer(process)
    process.send_signal(signal.SIGINT)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    rest = process.stdout.read()
    lines = process.stderr.read().decode().splitlines()
    assert (process.wait(), len(answer) + len(rest), len(lines)) == (130, 2 * 1_600, 2)
    process.stdin.close()
    process.stdout.close()
    process.stderr.close()


def test_a_reader_that_leaves_ends_it_without_a_traceback(model: Path) -> None:
    process = piped("--model", model, "--sample-rate", "16000")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(samples(100_000).tobytes())
    assert process.returncode == 0
    assert len(errors.decode().splitlines()) == 2


def test_a_file_in_a_container_is_bad_input(model: Path) -> None:
    process = piped("--model", model, "--sample-rate", "16000")
    output, errors = process.communicate(b"RIFF" + bytes(1_000))
    assert (process.returncode, output) == (2, b"")
    assert (
        errors.decode().splitlines()[-1].startswith("error: The input must be raw samples, but starts as a WAV file.")
    )


def test_wrong_arguments_are_refused_before_the_model_is_loaded() -> None:
    with pytest.raises(AudioError, match="sample_rate"):
        stream.run(parsed("--sample-rate", "16"))
    with pytest.raises(ConfigError, match="channels"):
        stream.run(parsed("--sample-rate", "16000", "--channels", "0"))
    with pytest.raises(ConfigError, match="attenuation_limit_db"):
        stream.run(parsed("--sample-rate", "16000", "--attenuation-limit-db", "-1"))
    with pytest.raises(ConfigError, match="window_seconds"):
        stream.run(parsed("--sample-rate", "16000", "--window-seconds", "0"))
    with pytest.raises(SystemExit):
        parsed("--sample-rate", "16000", "--format", "s24le")


def test_a_terminal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(ConfigError, match="Standard input must be a pipe or a file"):
        stream.run(parsed("--sample-rate", "16000"))


def test_the_overview_lists_it(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["stream", stream.SUMMARY] in lines
