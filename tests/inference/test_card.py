"""The card of a saved enhancer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cmkt.errors import CheckpointError
from cmkt.inference.card import FORMAT, Card, package_version, read_card, sha256_of

CARD = Card(
    class_path="cmkt.models.crn.CRN", init_args={"hidden": 8}, sample_rate=16_000, sha256="00", training={"a": 1}
)


def written(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps({**json.loads(CARD.dumps()), **changes}), encoding="utf-8")
    return path


def test_a_card_reads_as_it_was_written(tmp_path: Path) -> None:
    assert read_card(written(tmp_path / "model.json")) == CARD


def test_a_card_says_its_format_and_package_version() -> None:
    assert json.loads(CARD.dumps())["format"] == FORMAT
    assert package_version()


def test_a_card_of_a_later_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Upgrade cmkt"):
        read_card(written(tmp_path / "model.json", format=FORMAT + 1))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3"])
def test_text_that_is_no_card_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"model\.json"):
        read_card(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(b"\xff\xfe\x80")
    with pytest.raises(CheckpointError, match="must be JSON"):
        read_card(path)


@pytest.mark.parametrize(
    ("name", "value"), [("class_path", 3), ("init_args", []), ("sample_rate", "16k"), ("sha256", None)]
)
def test_a_field_of_another_type_is_named(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(CheckpointError, match=f"`{name}`"):
        read_card(written(tmp_path / "model.json", **{name: value}))


def test_a_missing_card_is_a_checkpoint_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="readable"):
        read_card(tmp_path / "model.json")


def test_the_sum_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"abc")
    assert sha256_of(path) == hashlib.sha256(b"abc").hexdigest()
