"""`cmkt train-lm`: from text files to two language models, their scores beside counts, and their card."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from cmkt.audio.write import write_text
from cmkt.text.language.tokenizer import SPECIAL, character_tokenizer
from cmkt.text.pretrained import quiet_library
from cmkt.training.language_model.card import model_card
from cmkt.training.language_model.corpus import Corpus, load_corpus
from cmkt.training.language_model.embeddings import neighbour_embeddings
from cmkt.training.language_model.held_out import counted_scores, model_scores
from cmkt.training.language_model.models import build_decoder, build_encoder
from cmkt.training.language_model.module import check_accelerator, train_model
from cmkt.training.language_model.neighbours import character_neighbours, frequent_words, word_neighbours
from cmkt.training.language_model.objectives import MaskedCharacter, NextCharacter
from cmkt.training.language_model.settings import Settings, check_same_settings, write_settings

if TYPE_CHECKING:
    from torch import nn

    from cmkt.text.language.sequences import Sequences

DECODER = "decoder"
ENCODER = "encoder"

log = logging.getLogger(__name__)


def train_language_models(
    text: Sequence[Path],
    held_out: Sequence[Path],
    output: Path,
    *,
    settings: Settings,
    asked: Sequence[str] = (),
    accelerator: str = "auto",
    progress: bool = True,
) -> dict[str, Any]:
    """Trains both models into `output`/decoder and `output`/encoder and gives the report, also in report.json.

    Everything that is done is kept: the same call goes on where the last one was stopped. asked: words and characters
    of which neighbours are shown. Raises: ConfigError, DataError for settings, an accelerator and text that cannot
    work, or are not those of the last time; what `train_model` raises.
    """
    check_accelerator(accelerator)
    output.mkdir(parents=True, exist_ok=True)
    check_same_settings(settings, output)
    corpus = load_corpus(text, held_out, output=output, settings=settings)
    write_settings(settings, output)
    log.info(
        "%s lines, %s tokens, %s characters to learn; %s lines held out.",
        f"{len(corpus.train):,}",
        f"{corpus.train.ids.size:,}",
        f"{len(corpus.vocabulary):,}",
        f"{len(corpus.held_out):,}",
    )
    parts = {"all held-out lines": corpus.held_out, "those as transcripts": corpus.held_out_spoken}
    counted = _counted(corpus, parts, output)
    decoder, encoder = _trained(corpus, output, settings, accelerator=accelerator, progress=progress)
    report = {
        "settings": asdict(settings),
        "text": corpus.facts
        | {"lines": len(corpus.train), "tokens": int(corpus.train.ids.size), "held_out_lines": len(corpus.held_out)},
        "parameters": sum(each.numel() for each in decoder.parameters()),
        "characters": len(corpus.vocabulary),
        "trigram": counted,
        "models": model_scores(decoder, encoder, parts),
        "neighbours": _neighbours(corpus, encoder, asked),
    }
    _save(decoder, corpus, output / DECODER, settings)
    _save(encoder, corpus, output / ENCODER, settings)
    write_text(output / "report.json", json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    write_text(output / "README.md", model_card(report))
    return report


def _trained(
    corpus: Corpus, output: Path, settings: Settings, *, accelerator: str, progress: bool
) -> tuple[nn.Module, nn.Module]:
    size = len(corpus.vocabulary)
    embeddings = neighbour_embeddings(corpus.train, vocabulary_size=size, width=settings.width)
    decoder = build_decoder(settings, vocabulary_size=size, embeddings=embeddings)
    common: dict[str, Any] = {
        "batch_tokens": settings.batch_tokens,
        "learning_rate": settings.learning_rate,
        "seed": settings.seed,
        "accelerator": accelerator,
        "progress": progress,
    }
    most = settings.softmax_characters
    # The vocabulary is in order of frequency.
    frequent = torch.arange(min(size, most + len(SPECIAL))) if most else None
    checkpoints = output / "checkpoints"
    train_model(
        decoder, NextCharacter(frequent), corpus.train, checkpoints / DECODER, epochs=settings.decoder_epochs, **common
    )
    encoder = build_encoder(settings, decoder.cpu())
    objective = MaskedCharacter(settings.mask_share)
    train_model(encoder, objective, corpus.train, checkpoints / ENCODER, epochs=settings.encoder_epochs, **common)
    return decoder.cpu().half().float().eval(), encoder.cpu().half().float().eval()


def _counted(corpus: Corpus, parts: dict[str, Sequences], output: Path) -> dict[str, float]:
    """The scores of counts, kept, as they take minutes."""
    path = output / "text" / "trigram.json"
    if not path.is_file():
        scores = counted_scores(corpus.train, parts, vocabulary_size=len(corpus.vocabulary))
        write_text(path, json.dumps(scores, indent=2) + "\n")
    counted: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return counted


def _neighbours(corpus: Corpus, encoder: nn.Module, asked: Sequence[str]) -> dict[str, list[str]]:
    words = frequent_words(corpus.train, corpus.vocabulary)
    chosen = list(asked) or words[:: max(1, len(words) // 8)][:8]
    single = [each for each in chosen if len(each) == 1]
    longer = [each for each in chosen if len(each) > 1]
    found = character_neighbours(encoder, corpus.vocabulary, single)
    return found | (word_neighbours(encoder, corpus.vocabulary, words, longer) if longer and words else {})


def _save(model: nn.Module, corpus: Corpus, folder: Path, settings: Settings) -> None:
    """In half precision; what was scored has the same weights, in float32."""
    tokenizer = character_tokenizer(corpus.vocabulary, max_tokens=settings.max_tokens)
    with quiet_library():
        model.half().save_pretrained(os.fspath(folder))  # type: ignore[operator]
        tokenizer.save_pretrained(os.fspath(folder))
    model.float()
