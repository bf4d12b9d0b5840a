"""What every command does with errors."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from cmkt.cli.main import COMMANDS, main


def test_a_full_disk_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(command: str, arguments: list[str]) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "scores.jsonl")

    monkeypatch.setattr("cmkt.cli.main._run", full)
    assert main(["evaluate"]) == 2
    assert capsys.readouterr().err == (
        "error: There must be room on the disk, but there is none: [Errno 28] No space left on device: 'scores.jsonl'. "
        "Make room, then run the same command again.\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_package_names_the_command_that_brings_it(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(command: str, arguments: list[str]) -> int:
        raise ModuleNotFoundError("No module named 'lhotse'", name="lhotse.cut")

    monkeypatch.setattr("cmkt.cli.main._run", absent)
    assert main([command]) == 2
    assert f"`lhotse` must be installed for this, but is not. Run: pip install 'cmkt[{COMMANDS[command]}]'" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "bug",
    [ModuleNotFoundError("No module named 'cmkt.nowhere'", name="cmkt.nowhere"), FileNotFoundError(errno.ENOENT, "?")],
)
def test_a_bug_shows_with_its_traceback(bug: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(command: str, arguments: list[str]) -> int:
        raise bug

    monkeypatch.setattr("cmkt.cli.main._run", broken)
    with pytest.raises(type(bug)):
        main(["evaluate"])


def test_embedding_without_lhotse_names_the_extras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "lhotse", None)
    (tmp_path / "speech.jsonl.gz").touch()
    assert main(["embed", "--data", str(tmp_path), "--output", str(tmp_path / "store")]) == 2
    assert "pip install 'cmkt[train,embedded]'" in capsys.readouterr().err
