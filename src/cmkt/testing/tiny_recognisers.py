"""Tiny speech recognisers, saved as a user would have them: for tests without a network.

Each has random weights from a fixed seed; a folder takes under 1 MB. They say nothing about speech.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from cmkt.extras import import_extra

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
_END, _START = "<|endoftext|>", "<|startoftranscript|>"
_WHISPER_TOKENS = [
    _END,
    _START,
    "<|en|>",
    "<|zh|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
]


def save_tiny_ctc(folder: str | Path, *, seed: int = 0) -> Path:
    """A recogniser like wav2vec 2.0 with a character-CTC head: letters, one every 20 ms."""
    transformers = import_extra("transformers", "train")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    vocabulary = {each: number for number, each in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", *LETTERS])}
    (target / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    config = transformers.Wav2Vec2Config(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        conv_dim=(16, 16, 16),
        conv_kernel=(10, 8, 4),
        conv_stride=(10, 8, 4),
        num_feat_extract_layers=3,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    return _save(
        target,
        _fresh(transformers.Wav2Vec2ForCTC, config, seed),
        transformers.Wav2Vec2CTCTokenizer(target / "vocab.json"),
        transformers.Wav2Vec2FeatureExtractor(),
    )


def save_tiny_whisper(folder: str | Path, *, seed: int = 0) -> Path:
    """A recogniser like Whisper: multilingual, byte-level tokens and timestamps, at most 24 tokens every 30 s."""
    transformers = import_extra("transformers", "train")
    tokens = _whisper_tokens()
    number = tokens.token_to_id
    ids = {"pad_token_id": number(_END), "bos_token_id": number(_END), "eos_token_id": number(_END)}
    ids["decoder_start_token_id"] = number(_START)
    config = transformers.WhisperConfig(
        vocab_size=tokens.get_vocab_size(),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        **ids,
    )
    model = _fresh(transformers.WhisperForConditionalGeneration, config, seed)
    model.generation_config = transformers.GenerationConfig(
        max_length=24,
        is_multilingual=True,
        lang_to_id={name: number(name) for name in ("<|en|>", "<|zh|>")},
        task_to_id={name: number(f"<|{name}|>") for name in ("transcribe", "translate")},
        no_timestamps_token_id=number("<|notimestamps|>"),
        prev_sot_token_id=number("<|startofprev|>"),
        max_initial_timestamp_index=50,
        suppress_tokens=[number(name) for name in _WHISPER_TOKENS if name != _END],
        **ids,
    )
    names = {"bos_token": _END, "eos_token": _END, "unk_token": _END, "pad_token": _END}
    return _save(
        Path(folder),
        model,
        transformers.WhisperTokenizerFast(tokenizer_object=tokens, **names),
        transformers.WhisperFeatureExtractor(),
    )


def _whisper_tokens() -> Tokenizer:
    """Bytes, pairs of a sentence, and Whisper's own marks, 1,501 timestamps among them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=280, initial_alphabet=alphabet, show_progress=False)
    tokens.train_from_iterator(["the old man walked along the river"], trainer)
    tokens.add_special_tokens(_WHISPER_TOKENS)
    tokens.add_tokens([f"<|{place * 0.02:.2f}|>" for place in range(1501)])
    return tokens


def _fresh(model_class: Any, config: Any, seed: int) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model_class(config)


def _save(folder: Path, *parts: Any) -> Path:
    for part in parts:
        part.save_pretrained(folder)
    return folder
