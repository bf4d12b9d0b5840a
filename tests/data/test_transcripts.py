"""Tables of transcripts and texts beside files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.data.transcripts import listed_name, read_transcripts, text_beside
from cmkt.errors import DataError


@pytest.mark.parametrize("name", ["s/a.wav", "s/a", "/root/s/a.wav", "a.wav", "a"])
def test_a_file_is_known_by_its_path_or_its_name_with_or_without_suffix(name: str) -> None:
    assert listed_name({name: "text", "b": ""}, Path("/root/s/a.wav"), Path("s/a.wav")) == name
    assert listed_name({"b": ""}, Path("/root/s/a.wav"), Path("s/a.wav")) is None


def test_text_beside_a_file_has_its_name(tmp_path: Path) -> None:
    assert text_beside(tmp_path / "a.wav") is None
    (tmp_path / "a.txt").write_text("\ufeffgrüß dich\n", encoding="utf-8")
    assert text_beside(tmp_path / "a.wav") == "grüß dich\n"
    (tmp_path / "a.txt").write_bytes(b"\xff\xff")
    with pytest.raises(DataError, match=r"a\.txt must be a transcript in UTF-8"):
        text_beside(tmp_path / "a.wav")


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_tab_separated_table_keeps_quotation_marks(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text('extra\tPath\tSentence\n1\ta.wav\t"Yes, he said\n2\tb.wav\t\n', encoding="utf-8")
    assert read_transcripts(tmp_path / "t.tsv") == {"a.wav": '"Yes, he said', "b.wav": ""}


def test_a_comma_without_quotation_marks_does_not_cut_a_transcript_short(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2"):
        read_transcripts(table(tmp_path / "t.csv", "file,text\na.wav,Hello, my friend\n"))


def test_a_name_with_two_transcripts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1\.wav"):
        read_transcripts(table(tmp_path / "t.tsv", "file\ttext\n1.wav\tyes\n1.wav\tno\n"))
    assert read_transcripts(table(tmp_path / "t.tsv", "file\ttext\n1.wav\tyes\n1.wav\tyes\n")) == {"1.wav": "yes"}


def test_a_table_that_is_not_there_or_has_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="columns"):
        read_transcripts(table(tmp_path / "t.csv", "name,words\na,b\n"))
    with pytest.raises(DataError, match=r"none\.csv"):
        read_transcripts(tmp_path / "none.csv")
