from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from cmkt.cli.main import main
from cmkt.data.entry import Entry
from cmkt.data.manifest import make_cut, write_prepared
from cmkt.data.report import Report
from cmkt.data.validation import Checked
from cmkt.testing.tiny_models import save_tiny_bert
from cmkt.text.store import StoredTeacher

CHECKED = Checked(sample_rate=16_000, channels=1, samples=16_000, peak=0.5, clipped_share=0.0)


def _prepared(folder: Path, texts: Sequence[str | None]) -> str:
    entries = [Entry(id=f"u{number}", path=folder / f"u{number}.wav") for number in range(len(texts))]
    speech = [make_cut(entry, CHECKED, text=text) for entry, text in zip(entries, texts, strict=True)]
    write_prepared(folder, speech=speech, noise=[], rir=[], report=Report())
    return str(folder)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_bert(tmp_path_factory.mktemp("teacher")))


def test_transcripts_of_all_folders_are_embedded_and_described(
    tmp_path: Path, teacher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [_prepared(tmp_path / "a", ["THE FOX", None]), _prepared(tmp_path / "b", ["THE FOX", "THE LAZY DOG"])]
    store = str(tmp_path / "store")
    assert main(["embed", "--data", *folders, "--teacher", teacher, "--output", store]) == 0
    printed = capsys.readouterr().out
    assert "2 transcripts embedded, 0 were there already" in printed
    assert "2 texts, 5 tokens" in printed
    assert "bytes per token" in printed
    assert "unknown tokens 0.0%" in printed
    assert "mean-direction floor 0." in printed
    assert StoredTeacher(store).covers(["THE FOX", "THE LAZY DOG"])


def test_a_second_run_skips_what_is_there(tmp_path: Path, teacher: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["embed", "--teacher", teacher, "--output", str(tmp_path / "store"), "--data"]
    main([*arguments, _prepared(tmp_path / "a", ["THE FOX"])])
    assert main([*arguments, _prepared(tmp_path / "b", ["THE FOX", "YOU"])]) == 0
    assert "1 transcripts embedded, 1 were there already" in capsys.readouterr().out


def test_a_dry_run_shows_what_the_teacher_reads_and_writes_nothing(
    tmp_path: Path, teacher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _prepared(tmp_path / "a", ["THE FOX"])
    assert main(["embed", "--data", data, "--teacher", teacher, "--output", str(tmp_path / "store"), "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "normalised  the fox" in printed
    assert "tokens      the fox" in printed
    assert not (tmp_path / "store").exists()


def test_layers_pooling_dtype_and_bits_are_those_of_the_store(
    tmp_path: Path, teacher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["embed", "--data", _prepared(tmp_path / "a", ["THE QUICK FOX"]), "--teacher", teacher]
    store = str(tmp_path / "store")
    options = ["--layer", "1", "3", "--pool", "words", "--dtype", "bfloat16", "--spoken", "--bits", "8"]
    assert main([*asked, "--output", store, *options]) == 0
    stored = StoredTeacher(store)
    assert stored.identity.startswith("bert-layer1+3-bfloat16-words-")
    assert stored.embed(["THE QUICK FOX"])[0].shape[0] == 3
    assert "cosine error of what this run stored" in capsys.readouterr().out
    assert main([*asked, "--output", store, *options[:-2]]) == 2
    assert "must have 16 bits a value, but was written with 8" in capsys.readouterr().err


def test_a_store_of_another_teacher_is_refused(
    tmp_path: Path, teacher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["embed", "--data", _prepared(tmp_path / "a", ["YOU"]), "--teacher", teacher]
    arguments += ["--output", str(tmp_path / "store")]
    assert main(arguments) == 0
    assert main([*arguments, "--layer", "1"]) == 2
    error = capsys.readouterr().err
    assert "bert-layer1-" in error
    assert "was written by bert-layer3-" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--teacher", "/no/such/model"], "'/no/such/model' is no folder"),
        (["--batch-tokens", "0"], "`--batch-tokens` must be at least 1"),
        (["--revision", "main"], "`--revision` must be left out"),
        (["--layer", "9"], "`layer` must be from -7 to 6"),
        (["--device", "warp"], "`device` must be a device"),
        (["--devices", "0"], "`--devices` must be at least 1"),
        (["--device", "cpu:1", "--devices", "2"], "without an index where `--devices` is 2, but is 'cpu:1'"),
    ],
)
def test_options_that_cannot_work_are_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    data = _prepared(tmp_path / "a", ["YOU"])
    assert main(["embed", "--data", data, "--output", str(tmp_path / "store"), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_a_store_as_teacher_is_refused(tmp_path: Path, teacher: str, capsys: pytest.CaptureFixture[str]) -> None:
    data, store = _prepared(tmp_path / "a", ["YOU"]), str(tmp_path / "store")
    main(["embed", "--data", data, "--teacher", teacher, "--output", store])
    assert main(["embed", "--data", data, "--teacher", store, "--output", str(tmp_path / "other")]) == 2
    assert "is an embedding store" in capsys.readouterr().err


def test_data_without_transcripts_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = _prepared(tmp_path / "a", [None, None])
    assert main(["embed", "--data", data, "--output", str(tmp_path / "store")]) == 2
    assert "none of the 2 cuts has one" in capsys.readouterr().err


def test_a_transcript_that_is_far_too_long_is_an_error(
    tmp_path: Path, teacher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _prepared(tmp_path / "a", ["YOU", "THE FOX " * 100])
    assert main(["embed", "--data", data, "--teacher", teacher, "--output", str(tmp_path / "store")]) == 2
    assert "at most 64 tokens" in capsys.readouterr().err


def test_a_language_that_the_teacher_does_not_know_is_warned_of(tmp_path: Path) -> None:
    data = _prepared(tmp_path / "a", ["我们在北京学习语言", "今天天气很好"])
    with pytest.warns(UserWarning, match="does not know the language"):
        assert main(["embed", "--teacher", "embedded-en", "--data", data, "--output", str(tmp_path / "store")]) == 0


def test_a_cut_with_two_supervisions_is_embedded_as_training_asks_for_it(tmp_path: Path, teacher: str) -> None:
    cut = make_cut(Entry(id="u", path=tmp_path / "u.wav"), CHECKED, text="THE FOX")
    cut.supervisions.append(dataclasses.replace(cut.supervisions[0], id="second", text="THE LAZY DOG"))
    write_prepared(tmp_path / "data", speech=[cut], noise=[], rir=[], report=Report())
    store = str(tmp_path / "store")
    assert main(["embed", "--data", str(tmp_path / "data"), "--teacher", teacher, "--output", store]) == 0
    assert StoredTeacher(store).covers(["THE FOX THE LAZY DOG"])


def test_mandarin_transcripts_are_embedded_by_the_model_that_knows_mandarin(
    tmp_path: Path, mandarin_package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _prepared(tmp_path / "a", ["打开空调", "今天 天气很好"])
    assert main(["embed", "--data", data, "--output", str(tmp_path / "store")]) == 0
    printed = capsys.readouterr().out
    assert "2 texts, 10 tokens" in printed
    assert "unknown tokens 0.0%" in printed
    assert StoredTeacher(tmp_path / "store").width == 16
