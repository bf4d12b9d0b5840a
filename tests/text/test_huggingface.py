from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cmkt.errors import ConfigError, TextError
from cmkt.testing.tiny_models import LAYERS, POSITIONS, WIDTH, save_tiny_bert
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.text.tokenisation import TextEncoder
from cmkt.types import Teacher

SHORT, MIDDLE, LONG = "THE FOX", "SHE HAD YOUR DARK SUIT", "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG"


def test_a_teacher_gives_one_vector_for_each_token_of_the_text(tiny_model: Path) -> None:
    teacher = HuggingFaceTeacher(tiny_model)
    assert isinstance(teacher, Teacher)
    assert teacher.width == WIDTH
    for text, vectors in zip([SHORT, LONG], teacher.embed([SHORT, LONG]), strict=True):
        assert vectors.shape == (len(teacher.tokens(text)), WIDTH)
        assert vectors.dtype == torch.float32
        assert vectors.device.type == "cpu"


def test_vectors_are_those_of_the_model_alone_without_special_tokens(tiny_model: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(tiny_model), AutoModel.from_pretrained(tiny_model).eval()
    teacher = HuggingFaceTeacher(tiny_model)
    encoded = tokenizer(teacher.normalise(LONG), return_tensors="pt", return_special_tokens_mask=True)
    special = encoded.pop("special_tokens_mask")[0].bool()
    with torch.no_grad():
        expected = model(**encoded).last_hidden_state[0][~special]
    assert special.any() or "qwen" in tiny_model.name
    torch.testing.assert_close(teacher.embed([LONG])[0], expected, atol=1e-5, rtol=0)


def test_vectors_do_not_depend_on_the_batch(tiny_model: Path) -> None:
    texts = [SHORT, LONG, MIDDLE, "YOU", LONG]
    together = HuggingFaceTeacher(tiny_model).embed(texts)
    small = HuggingFaceTeacher(tiny_model, batch_tokens=1).embed(texts)
    alone = [HuggingFaceTeacher(tiny_model).embed([text])[0] for text in texts]
    for one, two, three in zip(together, small, alone, strict=True):
        torch.testing.assert_close(one, three, atol=1e-5, rtol=0)
        torch.testing.assert_close(two, three, atol=1e-5, rtol=0)


def test_no_texts_give_no_vectors(tiny_bert: Path) -> None:
    assert HuggingFaceTeacher(tiny_bert).embed([]) == []


def test_case_of_the_corpus_does_not_matter(tiny_model: Path) -> None:
    teacher = HuggingFaceTeacher(tiny_model)
    capitals, small = teacher.embed([LONG, LONG.lower()])
    torch.testing.assert_close(capitals, small, atol=1e-5, rtol=0)


def test_an_uncased_teacher_reads_small_letters_and_a_cased_one_a_sentence(tiny_bert: Path, tiny_llama: Path) -> None:
    assert HuggingFaceTeacher(tiny_bert).normalise(SHORT) == "the fox"
    assert HuggingFaceTeacher(tiny_llama).normalise(SHORT) == "The fox"


def test_vectors_can_take_part_in_a_training_step(tiny_bert: Path) -> None:
    vectors = HuggingFaceTeacher(tiny_bert).embed([LONG])[0]
    layer = torch.nn.Linear(WIDTH, 2)
    layer(vectors).sum().backward()
    assert layer.weight.grad is not None
    assert not vectors.requires_grad
    assert not vectors.is_inference()


def test_the_gradient_never_reaches_the_teacher(tiny_bert: Path) -> None:
    teacher = HuggingFaceTeacher(tiny_bert)
    assert not any(parameter.requires_grad for parameter in teacher._model.parameters())
    assert not teacher._model.training


def test_layers_are_counted_from_the_input_and_from_the_end(tiny_model: Path) -> None:
    last, same, first = (HuggingFaceTeacher(tiny_model, layer=layer) for layer in (-1, LAYERS, 0))
    assert last.identity == same.identity
    assert last.identity != first.identity
    torch.testing.assert_close(last.embed([LONG]), same.embed([LONG]))
    assert not torch.allclose(last.embed([LONG])[0], first.embed([LONG])[0])


def test_of_several_layers_the_mean_is_taken(tiny_model: Path) -> None:
    first, last = (HuggingFaceTeacher(tiny_model, layer=layer).embed([LONG])[0] for layer in (1, -1))
    both, other_order = (HuggingFaceTeacher(tiny_model, layer=layers) for layers in ([1, -1], [LAYERS, 1]))
    torch.testing.assert_close(both.embed([LONG])[0], (first + last) / 2)
    assert both.identity == other_order.identity
    assert f"layer1+{LAYERS}-" in both.identity
    with pytest.raises(ConfigError, match="`layer` must name a layer"):
        HuggingFaceTeacher(tiny_model, layer=[])


def test_words_are_the_means_of_their_tokens(tiny_model: Path) -> None:
    text = "JUMPS WALKING OVER"
    tokens, words = HuggingFaceTeacher(tiny_model), HuggingFaceTeacher(tiny_model, pool="words")
    assert [word.lower() for word in words.tokens(text)] == text.lower().split()
    pieces, pooled = tokens.embed([text, "YOU"])[0], words.embed([text, "YOU"])[0]
    assert pooled.shape == (3, WIDTH)
    spelled = "".join(tokens.tokens(text)).lower().replace("\u0120", " ").replace("[unk]", "")
    first = len(tokens.tokens("JUMPS"))
    torch.testing.assert_close(pooled[0], pieces[:first].mean(dim=0), atol=1e-5, rtol=0)
    assert spelled.startswith("jumps")
    assert tokens.identity != words.identity


def test_mandarin_goes_by_character_whatever_the_tokenizer_does(tiny_llama: Path) -> None:
    """A byte-level tokenizer makes three tokens of a Hanzi; the model's vectors of these are averaged."""
    text = "我们 OK"
    pieces = HuggingFaceTeacher(tiny_llama).embed([text])[0]
    characters = HuggingFaceTeacher(tiny_llama, pool="characters")
    words = HuggingFaceTeacher(tiny_llama, pool="words")
    assert characters.tokens(text) == ["我", "们", "o", "k"]  # without mixed case it is read in small letters
    assert words.tokens(text) == ["我", "们", "ok"]
    torch.testing.assert_close(characters.embed([text])[0][:2], words.embed([text])[0][:2])
    torch.testing.assert_close(words.embed([text])[0][0], pieces[:3].mean(dim=0), atol=1e-5, rtol=0)


def test_a_tokenizer_that_does_not_know_places_cannot_be_pooled() -> None:
    class Slow:
        is_fast = False

    with pytest.raises(ConfigError, match="its Slow does not say where its tokens are"):
        TextEncoder(Slow(), max_tokens=9, pool="words")


def test_a_text_as_it_is_said_has_numbers_in_words_and_no_punctuation(tiny_llama: Path) -> None:
    teacher = HuggingFaceTeacher(tiny_llama, spoken=True)
    assert teacher.normalise("You had 21 - no?") == "You had twenty one no"
    assert teacher.identity != HuggingFaceTeacher(tiny_llama).identity


@pytest.mark.parametrize("layer", [LAYERS + 1, -LAYERS - 2])
def test_a_layer_that_does_not_exist_is_refused(tiny_bert: Path, layer: int) -> None:
    with pytest.raises(ConfigError, match=f"`layer` must be from -4 to 3 .* but is {layer} instead"):
        HuggingFaceTeacher(tiny_bert, layer=layer)


@pytest.mark.parametrize("device", ["cuda:99", "warp"])
def test_a_device_that_does_not_exist_is_refused(tiny_bert: Path, device: str) -> None:
    with pytest.raises(ConfigError, match="`device`"):
        HuggingFaceTeacher(tiny_bert, device=device)


def test_the_identity_is_that_of_the_weights_not_of_the_folder(tmp_path: Path) -> None:
    first = HuggingFaceTeacher(save_tiny_bert(tmp_path / "a", seed=1))
    moved = HuggingFaceTeacher(save_tiny_bert(tmp_path / "b", seed=1))
    other = HuggingFaceTeacher(save_tiny_bert(tmp_path / "c", seed=2))
    assert first.identity == moved.identity
    assert first.identity != other.identity


def test_the_identity_changes_with_dtype_and_normalisation(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = HuggingFaceTeacher(tiny_bert).identity
    assert HuggingFaceTeacher(tiny_bert, dtype="bfloat16").identity != plain
    assert HuggingFaceTeacher(tiny_bert, max_tokens=10, batch_tokens=7).identity == plain
    monkeypatch.setattr("cmkt.text.huggingface.NORMALISATION_VERSION", 99)
    assert HuggingFaceTeacher(tiny_bert).identity != plain


def test_half_precision_gives_single_precision_vectors_that_are_close(tiny_bert: Path) -> None:
    half = HuggingFaceTeacher(tiny_bert, dtype="bfloat16").embed([LONG])[0]
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, HuggingFaceTeacher(tiny_bert).embed([LONG])[0], atol=0.1, rtol=0)


@pytest.mark.parametrize("empty", ["", "  \t\n", "\u3000"])
def test_an_empty_text_is_refused(tiny_bert: Path, empty: str) -> None:
    with pytest.raises(TextError, match="text 1 must hold words"):
        HuggingFaceTeacher(tiny_bert).embed([SHORT, empty])


def test_a_text_that_is_too_long_is_refused_not_cut(tiny_model: Path) -> None:
    with pytest.raises(TextError, match=r"at most 5 tokens, but .* has [12][0-9]"):
        HuggingFaceTeacher(tiny_model, max_tokens=5).embed([LONG + " AND YOU"])


def test_the_longest_text_the_model_has_positions_for_is_embedded_and_one_more_token_refused(
    tiny_roberta: Path,
) -> None:
    teacher = HuggingFaceTeacher(tiny_roberta)
    fitting = "1" * (POSITIONS - 2)
    assert len(teacher.embed([fitting])[0]) == POSITIONS - 2
    with pytest.raises(TextError, match=f"at most {POSITIONS} tokens"):
        teacher.embed([fitting + "1"])


def test_unknown_tokens_are_warned_of_once(tiny_bert: Path) -> None:
    teacher = HuggingFaceTeacher(tiny_bert)
    with pytest.warns(UserWarning, match=r"75% of the tokens are unknown .* probably does not know the language"):
        teacher.embed(["zebra yak gnu the"])
    teacher.embed(["zebra yak gnu the"])
    assert teacher.unknown_tokens == 6


def test_one_rare_word_is_not_warned_of(tiny_bert: Path) -> None:
    HuggingFaceTeacher(tiny_bert).embed(["the zebra"])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_decoder_is_found_causal_and_an_encoder_not(
    tiny_bert: Path, tiny_roberta: Path, tiny_llama: Path, tiny_qwen: Path, dtype: str
) -> None:
    folders = (tiny_bert, tiny_roberta, tiny_llama, tiny_qwen)
    assert [HuggingFaceTeacher(folder, dtype=dtype).causal for folder in folders] == [False, False, True, True]


def test_causality_is_that_of_the_layer(tiny_bert: Path) -> None:
    """The input embedding of any model looks at nothing but its own token."""
    assert HuggingFaceTeacher(tiny_bert, layer=0).causal
    assert not HuggingFaceTeacher(tiny_bert, layer=1).causal
