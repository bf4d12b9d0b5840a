"""`cmkt prepare` from the command line: folders written, the report shown, the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmkt.cli.main import main
from cmkt.data.manifest import load_prepared

TONE = 0.1 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("speech/ann/1", "speech/ann/2", "speech/bob/1", "speech/cy/1", "noise/hum/1", "noise/hum/2", "rir/r"):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, TONE, 16_000)
    (tmp_path / "speech/ann/1.txt").write_text("good morning", encoding="utf-8")
    (tmp_path / "speech/broken.wav").write_bytes(b"RIFF....")
    return tmp_path


def arguments(root: Path, *more: str) -> list[str]:
    return ["prepare", "folder", "--speech", f"{root}/speech", "--output", f"{root}/out", "--workers", "1", *more]


def test_folder_is_split_and_reported(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(arguments(folders, "--noise", f"{folders}/noise", "--rir", f"{folders}/rir", "--dev-fraction", "0.3"))
    printed = capsys.readouterr().out
    assert status == 0
    assert "dropped, unreadable: 1" in printed
    assert "broken.wav" in printed
    assert printed.count("above the noise floor of its recording: p10") == 2
    train, dev = load_prepared(folders / "out" / "train"), load_prepared(folders / "out" / "dev")
    assert len(train.speech) + len(dev.speech) == 4
    assert train.noise is not None
    assert dev.noise is not None
    assert (len(train.noise), len(dev.noise)) == (1, 1)
    report = json.loads((folders / "out" / "train" / "report.json").read_text(encoding="utf-8"))
    assert report["speech"]["kept"] == len(train.speech)


def test_fraction_of_zero_writes_one_folder(folders: Path) -> None:
    assert main(arguments(folders, "--dev-fraction", "0")) == 0
    prepared = load_prepared(folders / "out")
    assert [cut.supervisions[0].text for cut in prepared.speech] == ["good morning", None, None, None]
    assert prepared.noise is None


def test_table_of_transcripts(folders: Path) -> None:
    (folders / "t.tsv").write_text("file\ttext\nbob/1.wav\tgood night\n", encoding="utf-8")
    assert main(arguments(folders, "--dev-fraction", "0", "--transcripts", f"{folders}/t.tsv")) == 0
    texts = {cut.id: cut.supervisions[0].text for cut in load_prepared(folders / "out").speech}
    assert texts["bob/1"] == "good night"


def test_nothing_usable_is_status_1_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "speech").mkdir()
    soundfile.write(tmp_path / "speech/silent.wav", np.zeros(16_000), 16_000)
    assert main(arguments(tmp_path, "--dev-fraction", "0")) == 1
    printed = capsys.readouterr().out
    assert "dropped, silent: 1" in printed
    assert "nothing usable" in printed


def test_list_is_prepared_and_parts_are_taken(folders: Path) -> None:
    records = [{"id": f"{name}", "audio": f"speech/{name}.wav", "text": "A"} for name in ("ann/1", "bob/1", "gone")]
    (folders / "s.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    base = ["prepare", "jsonl", "--speech", f"{folders}/s.jsonl", "--workers", "1"]
    assert main([*base, "--output", f"{folders}/out"]) == 0
    assert [cut.id for cut in load_prepared(folders / "out").speech] == ["ann/1", "bob/1"]
    assert main([*base, "--output", f"{folders}/few", "--speech-ids", "^ann"]) == 0
    assert [cut.id for cut in load_prepared(folders / "few").speech] == ["ann/1"]
    assert main([*base, "--output", f"{folders}/none", "--speech-ids", "^gone"]) == 1
    assert main([*base, "--output", f"{folders}/root", "--root", f"{folders}/noise"]) == 1


@pytest.mark.parametrize("wrong", ["0.9", "0.9-0.1", "a-b", "0-2"])
def test_part_that_is_none_is_refused(folders: Path, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["prepare", "jsonl", "--speech", "x", "--output", "y", "--noise-part", wrong])
    assert "FROM-TO" in capsys.readouterr().err


def test_folder_that_does_not_exist_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path)) == 2
    assert "not a folder" in capsys.readouterr().err


def test_an_output_that_cannot_be_a_folder_is_refused_before_files_are_checked(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders / "file").write_text("mine")
    for output in ("file", "file/below"):
        assert main(arguments(folders, "--output", f"{folders}/{output}")) == 2
        assert "must be a folder" in capsys.readouterr().err
    assert (folders / "file").read_text() == "mine"


def test_a_list_of_which_nothing_exists_names_the_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tmp_path / "speech.jsonl"
    lines.write_text('{"audio": "there/a.wav"}\n{"audio": "there/b.wav"}\n')
    assert main(["prepare", "jsonl", "--speech", str(lines), "--output", f"{tmp_path}/out", "--workers", "1"]) == 1
    assert f"hint: speech files are looked for in {tmp_path}; --root names" in capsys.readouterr().out
