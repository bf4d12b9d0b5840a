"""Tiny language models with real tokenizers, saved as a user would have them: for tests without a network.

Each has random weights from a fixed seed, three layers of width 32 and a byte-level or word tokenizer; a folder takes
under 1 MB and 0.2 s. They say nothing about language.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from cmkt.extras import import_extra

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WIDTH = 32
LAYERS = 3
POSITIONS = 64
_SENTENCES = (
    "the quick brown fox jumps over the lazy dog and you",
    "she had your dark suit in greasy wash water all year",
    "it is so said the cat and then they went home",
)
_SIZES: dict[str, Any] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}


def save_tiny_bert(folder: str | Path, *, seed: int = 0) -> Path:
    """An encoder like BERT: uncased words with `[UNK]` for all others, [CLS] and [SEP] around, at most 64 tokens."""
    import_extra("transformers", "train")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = sorted({word for sentence in _SENTENCES for word in sentence.split()})
    vocabulary = {word: number for number, word in enumerate([*special, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    _surround(tokenizer, "[CLS]", "[SEP]")
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=POSITIONS, **_SIZES)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return _save(folder, BertModel, config, tokenizer, names, seed=seed)


def save_tiny_roberta(folder: str | Path, *, seed: int = 0) -> Path:
    """An encoder like RoBERTa: cased byte-level pairs, <s> and </s> around, positions numbered from the padding's."""
    import_extra("transformers", "train")
    from transformers import RobertaConfig, RobertaModel

    tokenizer = _byte_level(["<s>", "<pad>", "</s>", "<unk>"])
    _surround(tokenizer, "<s>", "</s>")
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=POSITIONS + 2, pad_token_id=1, **_SIZES
    )
    names = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    return _save(folder, RobertaModel, config, tokenizer, names | {"unk_token": "<unk>"}, seed=seed)


def save_tiny_llama(folder: str | Path, *, seed: int = 0) -> Path:
    """A decoder like LLaMA: causal, cased byte-level pairs, <s> in front, and no padding token."""
    import_extra("transformers", "train")
    from transformers import LlamaConfig, LlamaModel

    tokenizer = _byte_level(["<s>", "</s>"])
    _surround(tokenizer, "<s>", None)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=POSITIONS,
        bos_token_id=0,
        eos_token_id=1,
        **_SIZES,
    )
    return _save(folder, LlamaModel, config, tokenizer, {"bos_token": "<s>", "eos_token": "</s>"}, seed=seed)


def save_tiny_qwen(folder: str | Path, *, seed: int = 0) -> Path:
    """A decoder like Qwen: causal, cased byte-level pairs, nothing in front, and an end of text that pads as well."""
    import_extra("transformers", "train")
    from transformers import Qwen2Config, Qwen2Model

    tokenizer = _byte_level(["<|endoftext|>"])
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=POSITIONS,
        num_key_value_heads=2,
        bos_token_id=None,
        eos_token_id=0,
        **_SIZES,
    )
    return _save(
        folder,
        Qwen2Model,
        config,
        tokenizer,
        {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
        seed=seed,
    )


def _byte_level(special: list[str]) -> Tokenizer:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    return tokenizer


def _surround(tokenizer: Tokenizer, before: str, after: str | None) -> None:
    from tokenizers import processors

    names = [name for name in (before, after) if name is not None]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=" ".join([before, "$A", *([after] if after else [])]),
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in names],
    )


def _save(
    folder: str | Path, model_class: Any, config: Any, tokenizer: Tokenizer, names: dict[str, str], *, seed: int
) -> Path:
    from transformers import PreTrainedTokenizerFast

    tokenizer_class: Any = PreTrainedTokenizerFast
    wrapped = tokenizer_class(tokenizer_object=tokenizer, model_max_length=POSITIONS, **names)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(config)
    target = Path(folder)
    model.save_pretrained(target)
    wrapped.save_pretrained(target)
    return target
