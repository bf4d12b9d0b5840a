from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.data.json_lines import read_objects, string_field
from cmkt.errors import DataError


def listed(folder: Path, content: bytes) -> Path:
    (folder / "a.jsonl").write_bytes(content)
    return folder / "a.jsonl"


def test_objects_come_in_order_with_their_lines_and_without_blank_ones(tmp_path: Path) -> None:
    path = listed(tmp_path, b'\xef\xbb\xbf{"a": 1}\n\n  \n{"b": "\xe5\x97\xa8"}')
    assert list(read_objects(path)) == [(f"{path}, line 1", {"a": 1}), (f"{path}, line 4", {"b": "嗨"})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a": ', "a.jsonl, line 2 must be one JSON object, but is not"),
        (b'["a"]', "a.jsonl, line 1 must be a JSON object, but is list instead"),
        (b'{"a": "\xff"}', "must be a readable list in UTF-8"),
    ],
)
def test_what_is_no_list_says_where(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_objects(listed(tmp_path, content)))


def test_a_file_that_is_not_there_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a readable list in UTF-8"):
        list(read_objects(tmp_path / "none.jsonl"))


def test_a_field_is_a_string_or_nothing() -> None:
    record = {"a": "x", "b": None, "c": "", "d": 3}
    assert [string_field(record, name, "here") for name in ("a", "b", "c", "none")] == ["x", None, "", None]
    with pytest.raises(DataError, match="here: `d` must be a string, but is 3 instead"):
        string_field(record, "d", "here")
