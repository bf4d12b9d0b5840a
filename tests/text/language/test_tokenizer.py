from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from cmkt.text.language.lines import prepare_lines
from cmkt.text.language.sequences import numbered
from cmkt.text.language.tokenizer import SPECIAL, UNKNOWN_ID, character_tokenizer, character_vocabulary
from cmkt.text.script import HAN

VOCABULARY = character_vocabulary(["打开空调", "打开 the 门,好", "门"], min_count=1)


def test_the_most_frequent_characters_come_first_and_rare_ones_have_no_token() -> None:
    assert VOCABULARY[:5] == list(SPECIAL)
    assert set(VOCABULARY[5:9]) == {"打", "开", "门", " "}
    assert character_vocabulary(["打开打"], min_count=2) == [*SPECIAL, "打"]


def test_every_character_is_a_token_after_a_save_too(tmp_path: Path) -> None:
    character_tokenizer(VOCABULARY, max_tokens=32).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    ids = tokenizer("打 开  Ｔhe 门，猫")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["[BOS]", *"打开the门,", "[UNK]", "[EOS]"]
    assert tokenizer.model_max_length == 32
    assert tokenizer.mask_token_id == 4


@pytest.mark.parametrize("line", ["打开 空调", "the  THE 门", "“好空调”，门 the", "好打开开。the"])
def test_training_and_teaching_number_a_line_alike(line: str) -> None:
    (cleaned,) = prepare_lines([line], script=HAN if "the  " not in line else "LATIN", max_characters=99).kept
    tokenizer = character_tokenizer(VOCABULARY, max_tokens=32)
    assert tokenizer(cleaned)["input_ids"] == numbered([cleaned], VOCABULARY)[0].tolist()


def test_sequences_lie_one_after_the_other() -> None:
    made = numbered(["打开", "猫"], VOCABULARY)
    assert len(made) == 2
    assert made.lengths.tolist() == [4, 3]
    assert made[1].tolist() == [2, UNKNOWN_ID, 3]
    assert made.chosen([1])[0].tolist() == made[1].tolist()
    assert len(made.chosen([])) == 0
