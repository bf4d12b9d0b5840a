from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.read import read_audio
from cmkt.audio.write import write_audio
from cmkt.cli.main import main
from cmkt.data.entry import Entry
from cmkt.data.preparation import prepare
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN
from cmkt.recipes.espeak import espeak
from cmkt.signal.resample import resample

RATE = 16_000


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results are kept, empty for each test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cmkt" / "evaluation"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of two utterances and a noise."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    time = np.arange(RATE) / RATE
    for name, pitch in (("one", 120.0), ("two", 200.0)):
        tone = sum(np.sin(2 * np.pi * pitch * order * time) / order for order in range(1, 20))
        speech = 0.1 * tone * np.clip(np.sin(4 * np.pi * time), 0, None) + 1e-4 * rng.standard_normal(RATE)
        (folder / "speech").mkdir(exist_ok=True)
        write_audio(folder / "speech" / f"{name}.wav", speech, RATE)
    (folder / "noise").mkdir()
    write_audio(folder / "noise" / "hiss.wav", 0.1 * rng.standard_normal(2 * RATE), RATE)
    prepared = folder / "prepared"
    asked = ["--speech", folder / "speech", "--noise", folder / "noise", "--output", prepared, "--dev-fraction", "0"]
    assert main(["prepare", "folder", *map(str, asked)]) == 0
    return prepared


@pytest.fixture
def noisy(data: Path, tmp_path: Path) -> Path:
    """A folder of two noisy recordings, beside one of their references."""
    rng = np.random.default_rng(1)
    for name in ("one", "two"):
        clean, _ = read_audio(data.parent / "speech" / f"{name}.wav")
        for folder, samples in (("noisy", clean + 0.02 * rng.standard_normal(clean.shape)), ("clean", clean)):
            (tmp_path / folder).mkdir(exist_ok=True)
            write_audio(tmp_path / folder / f"{name}.wav", samples, RATE, subtype="FLOAT")
    return tmp_path / "noisy"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with a saved model and the log of its training."""
    folder = tmp_path_factory.mktemp("runs") / "plain"
    save_model(CRN(channels=(4, 8), hidden=16), folder / "enhancer")
    rows = "".join(f"0,{step},{1 / step}\n" for step in range(1, 6))
    (folder / "metrics.csv").write_text("epoch,step,dev/enhancement\n" + rows)
    return folder


def command(data: Path, output: Path, *models: Path) -> list[str]:
    asked = ["evaluate", "--model", *models, "--data", data, "--output", output, "--snr", "-5", "5", "--jobs", "0"]
    return [str(each) for each in asked]


@pytest.fixture
def arguments(data: Path, run: Path, tmp_path: Path) -> list[str]:
    """A command line that works."""
    return command(data, tmp_path / "out", run)


def test_scores_and_summaries_are_written_and_the_table_is_printed(
    data: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert main([*command(data, output, run), "--save-audio", "1"]) == 0
    printed = capsys.readouterr().out
    assert "| plain " in printed
    assert (output / "summary.md").read_text() in printed
    lines = (output / "scores.jsonl").read_text().splitlines()
    assert len(lines) == 2 * 2 * 2
    assert {json.loads(line)["snr_db"] for line in lines} == {-5.0, 5.0}
    assert json.loads((output / "summary.json").read_text())["utterances"] == 2
    assert len(list((output / "audio").iterdir())) == 2 * 3


def test_the_verdict_is_read_from_the_run(
    data: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(data, tmp_path / "out", run), "--verdict", "--limit", "1"]) == 0
    assert "plain: undertrained." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--model", "nowhere"], "does not exist"),
        (["--data", "nowhere"], "prepared folder"),
        (["--limit", "0"], "`limit`"),
        (["--words", "--candidates", "0"], "`candidates`"),
        (["--jobs", "-1"], "`jobs`"),
        (["--snr", "0", "0"], "each once"),
        (["--device", "quantum"], "`device`"),
        (["--metrics", "loudness"], "`metrics`"),
        (["--transcriber", "parrot"], "`transcriber`"),
        (["--sample-rate", "0"], "`sample_rate`"),
        (["--cache", "there", "--no-cache"], "`--no-cache`"),
        (["--clean", "there"], "belong to `--noisy`"),
        (["--transcripts", "there"], "belong to `--noisy`"),
        (["--enhanced", "there"], "cmkt mix"),
    ],
)
def test_bad_input_is_one_line_on_stderr(
    change: list[str], message: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, *change]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error


def test_a_test_set_must_be_named_and_only_one(
    data: Path, noisy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for sets, message in (([], "is required"), (["--data", data, "--noisy", noisy], "not allowed with")):
        with pytest.raises(SystemExit) as stopped:
            main([str(each) for each in ("evaluate", *sets, "--output", tmp_path / "out")])
        assert stopped.value.code == 2
        assert message in capsys.readouterr().err


def test_the_snr_of_files_is_theirs(noisy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--noisy", str(noisy), "--output", str(tmp_path / "out"), "--snr", "5"]) == 2
    assert "`--snr` must belong to `--data`" in capsys.readouterr().err


def test_folders_and_lists_are_scored_beside_what_others_enhanced(
    noisy: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["evaluate", "--noisy", noisy, "--clean", noisy.with_name("clean"), "--output", tmp_path / "out"]
    asked += ["--model", "default", "--enhanced", f"perfect={noisy.with_name('clean')}", "--jobs", "0"]
    assert main([str(each) for each in [*asked, "--metrics", "si_sdr", "stoi"]]) == 0
    printed = capsys.readouterr().out
    assert "2 utterances of `noisy` beside `clean`" in printed
    assert "| default " in printed
    assert "## SNR" not in printed
    values = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert values["systems"]["perfect"]["overall"]["stoi"]["score"]["mean"] == pytest.approx(1.0)
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert told["systems"]["perfect"]["source"] == str(noisy.with_name("clean"))
    assert told["test_set"]["kind"] == "folders"
    rows = [{"noisy": f"noisy/{name}.wav", "clean": f"clean/{name}.wav"} for name in ("one", "two")]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    listed = ["evaluate", "--pairs", tmp_path / "list.jsonl", "--output", tmp_path / "listed", "--jobs", "0"]
    assert main([str(each) for each in [*listed, "--metrics", "si_sdr", "stoi"]]) == 0
    again = json.loads((tmp_path / "listed" / "summary.json").read_text())
    assert again["systems"]["noisy"] == values["systems"]["noisy"]


def test_results_are_kept_where_told_or_nowhere(arguments: list[str], cache: Path, tmp_path: Path) -> None:
    short = [*arguments, "--limit", "1", "--metrics", "si_sdr"]
    assert main([*short, "--no-cache"]) == 0
    assert main([*short, "--output", str(tmp_path / "mine"), "--cache", str(tmp_path / "there")]) == 0
    assert not cache.exists()
    assert len(list((tmp_path / "there").rglob("*.json"))) == 4
    assert main([*short, "--output", str(tmp_path / "usual")]) == 0
    assert len(list(cache.rglob("*.json"))) == 4


def test_an_output_that_is_a_file_is_refused(
    data: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("mine")
    assert main(command(data, tmp_path / "out", run)) == 2
    assert "must be a folder" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"


def test_data_without_noise_are_refused(
    data: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "quiet").mkdir()
    (tmp_path / "quiet" / "speech.jsonl.gz").write_bytes((data / "speech.jsonl.gz").read_bytes())
    assert main(command(tmp_path / "quiet", tmp_path / "out", run)) == 2
    assert "noise" in capsys.readouterr().err


def test_a_failed_score_is_told_and_changes_the_exit_status(
    data: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = data.parent / "speech" / "one.wav"
    away = victim.rename(victim.with_suffix(".away"))
    try:
        assert main(command(data, tmp_path / "out", run)) == 1
    finally:
        away.rename(victim)
    captured = capsys.readouterr()
    assert "4 of 8 scores failed" in captured.err
    assert "plain failed on 2 mixtures" in captured.out


def test_a_verdict_on_a_model_without_a_log_is_refused_before_anything_is_scored(
    data: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(data, tmp_path / "out", run / "enhancer"), "--verdict"]) == 2
    assert "metrics.csv" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_field_that_the_data_lack_is_refused_before_anything_is_scored(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--group-by", "gender", "hat"]) == 2
    assert "but is 'hat'. There are: SNR, language, " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_model_class_from_outside_is_scored_when_allowed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "halving_for_evaluate.py").write_text(
        "from torch import nn\n"
        "class Halver(nn.Module):\n"
        "    sample_rate, init_args = 16000, {}\n"
        "    def forward(self, noisy):\n"
        "        return noisy / 2\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    model = save_model(importlib.import_module("halving_for_evaluate").Halver(), tmp_path / "halver")
    assert main(command(data, tmp_path / "out", model)) == 2
    assert "--allow-foreign" in capsys.readouterr().err
    assert main([*command(data, tmp_path / "out", model), "--allow-foreign"]) == 0


def test_words_need_transcripts_and_say_so(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--words"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: Words are measured on two different English transcripts or more")
    assert "Leave out --words" in error


def test_words_without_their_extra_name_the_pip_command(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    assert main([*arguments, "--words"]) == 2
    assert "pip install 'cmkt[asr]'" in capsys.readouterr().err


def test_words_are_in_the_summary(run: Path, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = []
    for name, text in (("a", "the old man walked along the river"), ("b", "they danced until the morning came")):
        path = tmp_path / f"{name}.wav"
        write_audio(path, 0.5 * resample(espeak().synthesise(text, voice="en-us+m3"), espeak().sample_rate, RATE), RATE)
        entries.append(Entry(name, path, text=text))
    hiss = np.random.default_rng(0).standard_normal(RATE)
    write_audio(tmp_path / "hiss.wav", 0.1 * hiss, RATE)
    prepare({"speech": entries, "noise": [Entry("hiss", tmp_path / "hiss.wav")]}, tmp_path / "data", workers=1)
    assert main([*command(tmp_path / "data", tmp_path / "out", run), "--words", "--candidates", "1"]) == 0
    printed = capsys.readouterr().out
    assert "Guessing finds 0.500 of them." in printed
    assert "| clean " in printed.split("### Identified")[1]
    assert "| clean " not in printed.split("## Words")[0]
    values = json.loads((tmp_path / "out" / "summary.json").read_text())["words"]
    assert values["systems"]["clean"]["overall"]["identified"]["score"]["mean"] == 1.0
    assert list(cache.rglob("*.json"))
