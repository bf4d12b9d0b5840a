"""Lists with one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmkt.data.preparation import prepare
from cmkt.errors import DataError
from cmkt.recipes.jsonl import read_list


def write_list(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_fields_are_understood_and_unknown_ones_travel_along(tmp_path: Path) -> None:
    listed = write_list(
        tmp_path / "a.jsonl",
        {"id": "x", "audio": "sub/x.flac", "duration": 2, "text": "嗨", "speaker": "s", "language": "zh", "gender": "f",
         "age": "9", "class": "c"},
        {"audio": "sub/y.flac"},
    )  # fmt: skip
    first, second = read_list(listed)
    assert (first.id, first.path, first.duration) == ("x", tmp_path / "sub/x.flac", 2.0)
    assert (first.text, first.speaker, first.language, first.gender) == ("嗨", "s", "zh", "f")
    assert first.custom == {"age": "9", "class": "c"}
    assert (second.id, second.duration, second.text, second.custom) == ("sub/y", None, None, {})


def test_root_and_absolute_paths(tmp_path: Path) -> None:
    listed = write_list(tmp_path / "a.jsonl", {"audio": "x.wav"}, {"audio": "/else/y.wav"})
    assert [entry.path for entry in read_list(listed, root="/root")] == [Path("/root/x.wav"), Path("/else/y.wav")]


def test_ids_choose_by_pattern(tmp_path: Path) -> None:
    listed = write_list(tmp_path / "a.jsonl", *({"id": name, "audio": "x.wav"} for name in ("a1", "a2", "b1")))
    assert [entry.id for entry in read_list(listed, ids="^a")] == ["a1", "a2"]
    assert [entry.id for entry in read_list(listed, ids="^(?!a)")] == ["b1"]
    with pytest.raises(DataError, match="regular expression"):
        read_list(listed, ids="(")


def test_parts_are_disjoint_complete_and_stable(tmp_path: Path) -> None:
    records = [{"id": f"n{number}", "audio": f"{number}.wav"} for number in range(300)]
    listed = write_list(tmp_path / "a.jsonl", *records)
    train = {entry.id for entry in read_list(listed, part=(0.0, 0.9))}
    dev = {entry.id for entry in read_list(listed, part=(0.9, 1.0))}
    assert not train & dev
    assert len(train | dev) == 300
    assert 10 < len(dev) < 55
    fewer = write_list(tmp_path / "b.jsonl", *records[:100])
    assert {entry.id for entry in read_list(fewer, part=(0.9, 1.0))} <= dev
    with pytest.raises(DataError, match="part"):
        read_list(listed, part=(0.5, 0.5))


def test_group_keeps_excerpts_of_one_recording_together(tmp_path: Path) -> None:
    names = [f"clip-{number}-{take}" for number in range(200) for take in "AB"] + ["alone"]
    listed = write_list(tmp_path / "a.jsonl", *({"id": name, "audio": "x.wav"} for name in names))
    train, dev = (
        {entry.id for entry in read_list(listed, part=part, group=r"^.*\d")} for part in ((0.0, 0.7), (0.7, 1.0))
    )
    assert train | dev == set(names)
    assert not train & dev
    for side in (train, dev):
        takes = {name for name in side if name != "alone"}
        assert len(takes) == 2 * len({name[:-2] for name in takes}) > 0
    with pytest.raises(DataError, match="`group` must be a regular expression"):
        read_list(listed, group="(")


def test_empty_lines_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('\n{"audio": "x.wav"}\n\n', encoding="utf-8")
    assert len(read_list(tmp_path / "a.jsonl")) == 1


@pytest.mark.parametrize(
    "line",
    ['{"audio": "x.wav"', '["x.wav"]', '{"id": "x"}', '{"audio": 3}', '{"audio": "x", "text": 5}',
     '{"audio": "x", "duration": "long"}', '{"audio": "x", "duration": true}'],
)  # fmt: skip
def test_bad_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"audio": "x.wav"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2"):
        read_list(tmp_path / "a.jsonl")


def test_list_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl"):
        read_list(tmp_path / "none.jsonl")
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"a\.jsonl"):
        read_list(tmp_path / "a.jsonl")


@pytest.mark.corpus
def test_part_of_the_real_corpus_is_prepared_without_a_drop(corpus: Path, tmp_path: Path) -> None:
    report = prepare(
        {
            "speech": read_list(corpus / "speech.test.jsonl", part=(0.0, 0.2)),
            "noise": read_list(corpus / "noise.test.jsonl", part=(0.0, 0.1)),
            "rir": read_list(corpus / "rir.jsonl", ids="roomA_0"),
        },
        tmp_path / "out",
    )
    for kind in report.kinds.values():
        assert kind.kept == kind.listed > 0
        assert not kind.dropped
    assert report.kinds["speech"].with_text == report.kinds["speech"].kept


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "list.jsonl").write_text('{"audio": "a.wav"}\n', encoding="utf-8-sig")
    assert [entry.id for entry in read_list(tmp_path / "list.jsonl")] == ["a"]
