import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from cmkt.errors import ConfigError, MissingExtraError, NotLearntError
from cmkt.inference.load import load
from cmkt.metrics.registry import DEFAULT_METRICS
from cmkt.recipes.demo import DemoCorpus
from cmkt.text.embedded import EMBEDDED_MODELS
from cmkt.training.demo import DemoSettings, run_demo

TINY = DemoCorpus(train=4, dev=1, test=3, noise_recordings=1, noise_seconds=2.0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoSettings, list[str], NotLearntError]:
    """A whole demo that trains one step: far too little to have learnt anything."""
    torch.set_num_threads(1)
    settings = DemoSettings(
        output=tmp_path_factory.mktemp("demo") / "out", steps=1, corpus=TINY, jobs=0, progress=False
    )
    said: list[str] = []
    with pytest.raises(NotLearntError, match="not learnt: the plain model must beat the noisy input") as raised:
        run_demo(settings, announce=said.append)
    return settings, said, raised.value


Finished = tuple[DemoSettings, list[str], NotLearntError]


def test_a_model_that_has_not_learnt_ends_in_an_error_with_both_differences(finished: Finished) -> None:
    _, _, error = finished
    assert "PESQ-WB" in str(error)
    assert "SI-SDR (dB)" in str(error)
    assert "--minutes" in str(error)


def test_every_stage_is_announced_and_the_table_is_shown_with_its_caption(finished: Finished) -> None:
    _, said, _ = finished
    text = "\n".join(said)
    for stage in range(1, 7):
        assert f"[{stage}/6]" in text
    for word in ("noisy", "plain", "transfer", "PESQ-WB", "STOI", "ESTOI", "SI-SDR", "±", "not evidence", "one seed"):
        assert word in text


def test_results_hold_the_caption_and_every_system_at_every_snr(finished: Finished) -> None:
    output = finished[0].output
    values = json.loads((output / "results.json").read_text())
    assert list(values["systems"]) == ["noisy", "plain", "transfer"]
    for system in values["systems"].values():
        assert list(system["by_snr"]) == ["0", "5", "10"]
        assert set(system["overall"]) == set(DEFAULT_METRICS)
    markdown = (output / "results.md").read_text()
    assert "not evidence about real speech" in markdown
    assert any(noise in markdown for noise in ("tinted", "crowd", "engine", "workshop"))


def test_three_utterances_can_be_heard_and_seen(finished: Finished) -> None:
    output = finished[0].output
    heard = {path.name for path in (output / "listen").iterdir()}
    names = ("1_0dB", "2_5dB", "3_10dB")
    assert heard == {f"{name}_{system}.wav" for name in names for system in ("noisy", "plain", "transfer", "clean")}
    for path in (output / "listen").iterdir():
        audio, rate = soundfile.read(path)
        assert rate == 16_000
        assert np.abs(audio).max() > 0.01
    seen = {path.name for path in (output / "pictures").iterdir()}
    assert seen == {"loss.png"} | {f"{name}_{arm}.png" for name in names for arm in ("plain", "transfer")}


def test_both_arms_leave_an_enhancer_that_can_be_used(finished: Finished) -> None:
    noisy = 0.1 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    for arm in ("plain", "transfer"):
        enhanced = load(finished[0].output / arm).enhance(noisy, sample_rate=16_000)
        assert enhanced.shape == noisy.shape
        assert np.isfinite(enhanced).all()


def test_arms_differ_in_transfer_only(finished: Finished) -> None:
    output = finished[0].output
    plain = (output / "plain.yaml").read_text().splitlines()
    transfer = (output / "transfer.yaml").read_text().splitlines()
    shared = [line for line in transfer if line in plain]
    assert [line for line in plain[1:] if line not in shared] == []
    added = transfer[transfer.index("  transfer:") : transfer.index("data:")]
    assert [line for line in transfer[1:] if line not in added] == plain[1:]
    assert "          tokens: 1" in added


def test_a_second_run_reuses_what_is_there_and_says_so(finished: Finished) -> None:
    settings, _, _ = finished
    enhancer = settings.run("plain").enhancer / "model.safetensors"
    before = enhancer.stat().st_mtime_ns
    said: list[str] = []
    with pytest.raises(NotLearntError):
        run_demo(settings, announce=said.append)
    assert sum("reused" in line for line in said) == 3
    assert enhancer.stat().st_mtime_ns == before


def test_a_model_that_beats_noisy_ends_well(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmkt.training.demo_results.LEARNT_BY", ())
    results = run_demo(finished[0], announce=lambda line: None)
    assert results.markdown.is_file()
    assert results.summary["plain"].overall["pesq_wb"].score.mean is not None


def test_mandarin_needs_its_language_model_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    absent = replace(EMBEDDED_MODELS["embedded-zh"], package="no_such_package_of_a_model")
    monkeypatch.setitem(EMBEDDED_MODELS, "embedded-zh", absent)
    settings = DemoSettings(output=tmp_path / "demo", steps=1, corpus=DemoCorpus(language="zh"))
    with pytest.raises(MissingExtraError, match="packages/cmkt-mandarin-lm"):
        run_demo(settings, announce=lambda line: None)
    assert not settings.output.exists()


def test_a_demo_that_was_stopped_in_training_goes_on_from_its_checkpoint(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    output = tmp_path / "copy"
    shutil.copytree(finished[0].output, output, ignore=shutil.ignore_patterns("plain", "transfer"))
    settings = replace(finished[0], output=output)
    called: list[list[str]] = []

    def stop(arguments: Sequence[str]) -> int:
        called.append(list(arguments))
        settings.run("plain").checkpoints.mkdir(parents=True, exist_ok=True)
        settings.run("plain").last.touch()
        return 130

    monkeypatch.setattr("cmkt.training.demo.fit", stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_demo(settings, announce=lambda line: None)
    assert called[0] == ["--config", str(output / "plain.yaml"), "--output", str(output / "plain")]
    assert called[1] == [*called[0], "--ckpt_path", "last"]


def test_the_folder_of_another_demo_is_refused(finished: Finished) -> None:
    settings, _, _ = finished
    with pytest.raises(ConfigError, match="same settings"):
        run_demo(replace(settings, steps=2), announce=lambda line: None)


def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="new or empty"):
        run_demo(DemoSettings(output=tmp_path, steps=1, corpus=TINY))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_is_needed_at_the_end_is_asked_for_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmkt.training.demo.find_spec", lambda name: None)
    output = tmp_path / "new"
    with pytest.raises(MissingExtraError, match="matplotlib"):
        run_demo(DemoSettings(output=output, steps=1, corpus=TINY))
    assert not output.exists()


def test_a_file_as_output_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        run_demo(DemoSettings(output=path, steps=1, corpus=TINY))


def test_no_steps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`steps` must be at least 1"):
        DemoSettings(output=tmp_path, steps=0)
