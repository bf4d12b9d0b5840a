"""Prepared folders come back as they were written, and what is none is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.data.entry import Entry, Kind
from cmkt.data.manifest import Prepared, load_prepared, manifest_path
from cmkt.data.preparation import prepare
from cmkt.errors import DataError


def test_folder_comes_back(prepared: Prepared) -> None:
    assert [cut.id for cut in prepared.speech] == [f"u{number}" for number in range(6)]
    assert prepared.noise is not None
    assert prepared.rir is not None
    assert {cut.custom["class"] for cut in prepared.noise} == {"hiss", "knock"}
    assert [cut.id for cut in prepared.rir] == ["room"]


def test_preparing_again_without_noise_removes_the_old_manifest(
    prepared: Prepared, entries: dict[Kind, list[Entry]]
) -> None:
    prepare({"speech": entries["speech"]}, prepared.directory)
    again = load_prepared(prepared.directory)
    assert again.noise is None
    assert again.rir is None
    assert sorted(path.name for path in prepared.directory.iterdir()) == ["report.json", "speech.jsonl.gz"]


def test_other_folder_is_an_error_that_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cmkt prepare"):
        load_prepared(tmp_path / "nothing")


def test_parent_of_prepared_folders_names_them(prepared: Prepared) -> None:
    with pytest.raises(DataError, match="holds prepared folders: prepared"):
        load_prepared(prepared.directory.parent)


@pytest.mark.parametrize("content", [b"", b"not a gzip file", b"\x1f\x8b\x08\x00"])
def test_damaged_manifest_is_an_error_that_names_it(prepared: Prepared, content: bytes) -> None:
    manifest_path(prepared.directory, "speech").write_bytes(content)
    with pytest.raises(DataError, match=r"speech\.jsonl\.gz"):
        load_prepared(prepared.directory)
