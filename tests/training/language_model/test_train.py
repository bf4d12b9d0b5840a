"""From text to two models in folders, whole and interrupted."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cmkt.cli.main import main
from cmkt.errors import ConfigError, NotLearntError
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.text.language.sequences import numbered
from cmkt.text.language.tokenizer import character_vocabulary
from cmkt.training.callbacks import StopRequested
from cmkt.training.language_model.card import model_card
from cmkt.training.language_model.corpus import load_corpus
from cmkt.training.language_model.held_out import perplexity
from cmkt.training.language_model.models import build_decoder
from cmkt.training.language_model.module import train_model
from cmkt.training.language_model.neighbours import frequent_words
from cmkt.training.language_model.objectives import NextCharacter
from cmkt.training.language_model.train import train_language_models
from tests.training.language_model.conftest import SMALL, WORDS


@pytest.fixture(scope="module")
def run(text: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    output = tmp_path_factory.mktemp("run")
    # With twice the rate the encoder learns between .36 and .93 of the gaps, by the seed and by how sums are rounded.
    settings = replace(SMALL, decoder_epochs=12, encoder_epochs=8, learning_rate=5e-3)
    report = train_language_models(
        [text], [], output, settings=settings, asked=["pato", "a"], accelerator="cpu", progress=False
    )
    return output, report


def test_the_models_beat_counts_where_the_text_has_more_than_counts_see(run: tuple[Path, dict[str, Any]]) -> None:
    _, report = run
    name = "all held-out lines"
    assert report["models"][f"perplexity, {name}"] < report["trigram"][f"perplexity, {name}"]
    assert report["models"][f"masked accuracy, {name}"] > 0.8


def test_an_accelerator_that_is_not_there_is_told_before_anything_is_made(text: Path, tmp_path: Path) -> None:
    for accelerator in ("abacus", "tpu"):
        with pytest.raises(ConfigError, match=accelerator):
            train_language_models([text], [], tmp_path / "run", settings=SMALL, accelerator=accelerator)
    assert not (tmp_path / "run").exists()


def test_the_card_says_accuracy_in_percent_and_perplexity_as_it_is(run: tuple[Path, dict[str, Any]]) -> None:
    report = json.loads(json.dumps(run[1]))
    for scores in (report["trigram"], report["models"]):
        scores.update(dict.fromkeys(scores, 1.0))
    card = model_card(report)
    assert "| perplexity, all held-out lines | 1.00 | 1.00 |" in card
    assert "| masked accuracy, all held-out lines | 100.0% | 100.0% |" in card


def test_both_folders_are_teachers(run: tuple[Path, dict[str, Any]]) -> None:
    output, _ = run
    for name, causal in {"encoder": False, "decoder": True}.items():
        teacher = HuggingFaceTeacher(output / name)
        assert teacher.causal is causal
        assert teacher.tokens("PATO keli") == list("pato keli")
        assert teacher.embed(["pato keli"])[0].shape == (9, SMALL.width)
        assert teacher.unknown_tokens == 0
        stored = json.loads((output / name / "config.json").read_text())
        assert stored["dtype"] == "float16"


def test_the_card_tells_the_scores_and_neighbours(run: tuple[Path, dict[str, Any]]) -> None:
    output, report = run
    card = (output / "README.md").read_text(encoding="utf-8")
    assert "| perplexity, all held-out lines |" in card
    assert "- pato: " in card
    assert set(report["neighbours"]) == {"pato", "a"}
    assert set(report["neighbours"]["pato"]) <= set(WORDS)
    assert json.loads((output / "report.json").read_text(encoding="utf-8")) == report


def test_a_finished_run_is_scored_again_without_training(run: tuple[Path, dict[str, Any]], text: Path) -> None:
    output, report = run
    # With twice the rate the encoder learns between .36 and .93 of the gaps, by the seed and by how sums are rounded.
    settings = replace(SMALL, decoder_epochs=12, encoder_epochs=8, learning_rate=5e-3)
    before = (output / "checkpoints" / "encoder" / "last.ckpt").stat().st_mtime_ns
    again = train_language_models(
        [text], [], output, settings=settings, asked=["pato", "a"], accelerator="cpu", progress=False
    )
    assert again == report
    assert (output / "checkpoints" / "encoder" / "last.ckpt").stat().st_mtime_ns == before


class StopAt:
    """The objective, and Ctrl-C in one step."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.calls = 0

    def __call__(self, model: nn.Module, lines: Tensor, *, progress: float) -> Tensor:
        self.calls += 1
        if self.calls == self.step:
            os.kill(os.getpid(), signal.SIGINT)
        return NextCharacter()(model, lines, progress=progress)


def test_a_run_that_was_stopped_goes_on_exactly(text: Path, tmp_path: Path) -> None:
    corpus = load_corpus([text], [], output=tmp_path, settings=SMALL)
    size = len(corpus.vocabulary)
    table = 0.02 * torch.randn(size, SMALL.width, generator=torch.Generator().manual_seed(0))

    def trained(folder: Path, objective: Any) -> nn.Module:
        model = build_decoder(SMALL, vocabulary_size=size, embeddings=table)
        train_model(
            model,
            objective,
            corpus.train,
            folder,
            epochs=0.3,
            batch_tokens=320,
            learning_rate=1e-2,
            seed=0,
            accelerator="cpu",
            progress=False,
        )
        return model

    whole = trained(tmp_path / "whole", StopAt(-1))
    with pytest.raises(StopRequested):
        trained(tmp_path / "parts", StopAt(5))
    rest = StopAt(-1)
    parts = trained(tmp_path / "parts", rest)
    assert rest.calls > 0
    for name, weight in whole.state_dict().items():
        assert torch.equal(parts.state_dict()[name], weight), name
    assert perplexity(parts, corpus.held_out) == perplexity(whole, corpus.held_out)


def test_a_loss_that_is_no_number_ends_the_run(text: Path, tmp_path: Path) -> None:
    corpus = load_corpus([text], [], output=tmp_path, settings=SMALL)
    model = build_decoder(SMALL, vocabulary_size=len(corpus.vocabulary), embeddings=torch.tensor(float("nan")))
    with pytest.raises(NotLearntError, match="smaller --learning-rate"):
        train_model(
            model,
            NextCharacter(),
            corpus.train,
            tmp_path,
            epochs=1,
            batch_tokens=320,
            learning_rate=1.0,
            seed=0,
            accelerator="cpu",
            progress=False,
        )


def test_words_are_what_stands_between_spaces(text: Path, tmp_path: Path) -> None:
    corpus = load_corpus([text], [], output=tmp_path, settings=SMALL)
    assert set(frequent_words(corpus.train, corpus.vocabulary)) == set(WORDS)


def test_without_spaces_words_are_pairs_that_are_drawn_together() -> None:
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(["天气", "公园", *"的了是我在有"], size=8)) for _ in range(400)]
    vocabulary = character_vocabulary(lines, min_count=1)
    assert set(frequent_words(numbered(lines, vocabulary), vocabulary)) == {"天气", "公园"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layers", "0"], "`layers` must be at least 1"),
        (["--threads", "0"], "`--threads` must be at least 1"),
        (["--batch-tokens", "64"], "`batch_tokens` must be at least `max_tokens`"),
    ],
)
def test_the_command_refuses_what_cannot_work(
    options: list[str], message: str, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    assert main(["train-lm", "--text", str(text), "--output", str(output), *options]) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_the_name_of_the_unknown_token_is_no_word() -> None:
    """Spelled out it would be, and no character of such a word is known, so that its vector would be no number."""
    lines = ["天气很好", "公园很大", "我看天气", "去公园玩"] * 20 + ["天㐀气", "公㐁园"] * 20
    vocabulary = character_vocabulary(lines, min_count=21)
    assert "㐀" not in vocabulary
    assert set("".join(frequent_words(numbered(lines, vocabulary), vocabulary))) <= set(vocabulary)
