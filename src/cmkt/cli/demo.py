"""Train and measure a small enhancer from nothing: synthetic speech and noise, one language model, minutes of CPU.

Synthesises a corpus with known text, embeds the transcripts, trains the same small model twice (plain and with
linguistic transfer), evaluates both on voices, sentences and noises that were not in training, and leaves a table,
pictures, audio and the trained enhancers in one folder. Fails with "not learnt" unless the plain model beats the noisy
input in PESQ and SI-SDR. It shows that everything works; it is no evidence about real speech.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from cmkt.errors import ConfigError, MissingExtraError, extra_hint

SUMMARY = "train and measure a small enhancer on a synthetic corpus, from nothing, in minutes"
MINUTES = 4.0
STEPS_PER_MINUTE = 250
"""Steps of one arm on two idle cores. A number of steps, not a time, ends training, so that results can be repeated."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt demo`."""
    parser.add_argument("--output", type=Path, default=Path("demo"), metavar="DIR", help="folder for everything (demo)")
    parser.add_argument("--language", choices=["en", "zh"], default="en", help="English or Mandarin speech (en)")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument(
        "--minutes",
        type=float,
        default=MINUTES,
        metavar="M",
        help=f"budget of each of the two models, {STEPS_PER_MINUTE} steps a minute on any machine ({MINUTES:g})",
    )
    budget.add_argument("--steps", type=int, metavar="N", help="the same, in steps")
    parser.add_argument("--seed", type=int, default=0, help="of corpus, weights and batches (0)")
    parser.add_argument("--utterances", type=int, metavar="N", help="training utterances to synthesise (540)")
    parser.add_argument("--test-utterances", type=int, metavar="N", help="held-out utterances to synthesise (40)")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes of the evaluation (one a core; 0: none)")


def run(args: argparse.Namespace) -> int:
    """Runs the demo, prints its table and what to do next."""
    # Set before the tokenizer is first used: its threads and processes made by a fork do not go together.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from cmkt.evaluation.pool import usable_cores
        from cmkt.recipes.demo import DemoCorpus
        from cmkt.training.demo import DemoSettings, run_demo
    except ModuleNotFoundError as error:
        package = (error.name or "torch").partition(".")[0]
        if package == "cmkt":
            raise
        raise MissingExtraError(extra_hint(package, "demo")) from error

    counts = {"train": args.utterances, "test": args.test_utterances}
    corpus = DemoCorpus(
        language=args.language,
        seed=args.seed,
        **{split: count for split, count in counts.items() if count is not None},
    )
    settings = DemoSettings(
        output=args.output,
        steps=_steps(args),
        corpus=corpus,
        seed=args.seed,
        jobs=usable_cores() if args.jobs is None else args.jobs,
    )
    run_demo(settings, announce=_write)
    _write(_next_steps(args.output))
    return 0


def _steps(args: argparse.Namespace) -> int:
    steps: int | None = args.steps
    minutes: float = args.minutes
    if not minutes > 0:
        raise ConfigError(f"`--minutes` must be above 0, but is {minutes:g} instead.")
    return max(1, round(minutes * STEPS_PER_MINUTE)) if steps is None else steps


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _next_steps(output: Path) -> str:
    return "\n".join(
        [
            f"Look:    {output / 'results.md'}, {output / 'pictures'}",
            f"Listen:  {output / 'listen'} (noisy, plain, transfer, clean)",
            f"Enhance: cmkt enhance my.wav --model {output / 'plain'} --output enhanced",
            "Train on your own recordings:",
            "         cmkt prepare folder --speech DIR --noise DIR --output data",
            f"         cmkt fit --config {output / 'plain.yaml'} --data.train data/train --data.dev data/dev \\",
            "           --trainer.max_steps 20000 --output runs/plain",
        ]
    )
