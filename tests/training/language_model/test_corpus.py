from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from cmkt.errors import DataError
from cmkt.training.language_model.corpus import load_corpus, read_lines, split_blocks
from tests.training.language_model.conftest import SMALL, sentences


def test_plain_and_compressed_files_read_alike(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("今天\n好", encoding="utf-8")
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress("今天\n好".encode()))
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress("今天\n好".encode()))
    for name in ("a.txt", "a.txt.xz", "a.txt.gz"):
        assert read_lines(tmp_path / name) == ["今天", "好"]


@pytest.mark.parametrize(("name", "content"), [("a.xz", b"no"), ("a.gz", b"no"), ("a.txt", b"\xff\xfe\xff")])
def test_files_that_are_no_text_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} must be a text file in UTF-8"):
        read_lines(tmp_path / name)


def test_held_out_lines_are_blocks_of_neighbours() -> None:
    lines = [str(number) for number in range(10_000)]
    train, unseen = split_blocks(lines, share=0.1, seed=0)
    assert sorted(train + unseen, key=int) == lines
    assert 0.05 < len(unseen) / len(lines) < 0.15
    assert {len([n for n in unseen if int(n) // 50 == block]) for block in {int(n) // 50 for n in unseen}} == {50}


def test_a_corpus_is_numbered_kept_and_read_again(text: Path, tmp_path: Path) -> None:
    made = load_corpus([text], [], output=tmp_path, settings=SMALL)
    assert len(made.train) + len(made.held_out) <= 900
    assert made.facts["script"] == "LATIN"
    assert 0 < made.spoken.mean() < 1
    assert len(made.held_out_spoken) == made.spoken.sum()
    again = load_corpus([text], [], output=tmp_path, settings=SMALL)
    assert again.vocabulary == made.vocabulary
    assert (again.train.ids == made.train.ids).all()
    assert (again.held_out.starts == made.held_out.starts).all()
    text_b = tmp_path / "b.txt"
    text_b.write_text("\n".join(sentences(900, seed=1)), encoding="utf-8")
    with pytest.raises(DataError, match="were changed"):
        load_corpus([text_b], [], output=tmp_path, settings=SMALL)


def test_held_out_lines_that_training_has_too_are_dropped(tmp_path: Path) -> None:
    train, unseen = tmp_path / "a.txt", tmp_path / "b.txt"
    lines = sentences(300, seed=0)
    train.write_text("\n".join(lines[:200]), encoding="utf-8")
    unseen.write_text("\n".join([*lines[180:200], "; ".join(lines[0].split(" ", 1)), *lines[200:]]), encoding="utf-8")
    made = load_corpus([train], [unseen], output=tmp_path / "run", settings=SMALL)
    assert len(made.held_out) == 100
    assert made.facts["held_out_dropped"] == {"in the training text": 21}


def test_too_little_text_is_an_error_that_says_what_was_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("pato keli\npato keli\n12\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"must hold 100 lines or more .*LATIN, but holds 1; dropped: .*repeated"):
        load_corpus([tmp_path / "a.txt"], [tmp_path / "a.txt"], output=tmp_path / "run", settings=SMALL)
    with pytest.raises(DataError, match=r"none\.txt"):
        load_corpus([tmp_path / "none.txt"], [], output=tmp_path / "run", settings=SMALL)
