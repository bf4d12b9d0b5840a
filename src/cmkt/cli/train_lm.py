"""Train a small language model pair, a causal decoder and a masked encoder of single characters, from plain text.

Any language: one sentence or short paragraph a line, in UTF-8, plain or as .xz or .gz. Lines in another script than
most, and repeated ones, are dropped; half of the lines lose their punctuation, as transcripts have none; digits become
Hanzi in Chinese. The models are then named by their folder: --teacher OUTPUT/encoder.

The same command, run again, goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from cmkt.errors import ConfigError

SUMMARY = "train a small language model of any language as a teacher, from plain text"
INTERRUPTED = 130

HELP = {
    "max_tokens": "longest line, special tokens included; longer ones are cut",
    "min_count": "how often a character must occur to be learnt",
    "held_out_share": "of the text, where --held-out is not given",
    "width": "of the vectors",
    "layers": "of each model",
    "heads": "of attention",
    "intermediate": "width inside the feed-forward layers",
    "softmax_characters": "that always compete, of others a sample, in most of the training; 0: all, for GPUs",
    "mask_share": "of the characters that the encoder must guess",
    "batch_tokens": "tokens of a batch, padding included",
    "decoder_epochs": "passes of the decoder over the text",
    "encoder_epochs": "passes of the encoder, which starts from the decoder",
    "learning_rate": "at its peak",
    "seed": "of everything that is drawn",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds text, output and one option for every setting."""
    from cmkt.training.language_model.settings import Settings

    parser.add_argument("--text", required=True, nargs="+", type=Path, metavar="FILE", help="what to learn from")
    parser.add_argument(
        "--held-out", nargs="+", type=Path, default=[], metavar="FILE", help="what to be measured on (default: a share)"
    )
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="folder of the run")
    parser.add_argument("--neighbours", nargs="+", default=[], metavar="WORD", help="whose neighbours to show")
    parser.add_argument("--accelerator", default="auto", help="cpu, gpu, ... (default: auto)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads of torch (default: its own)")
    for field in fields(Settings):
        kind = type(field.default)
        option = "--" + field.name.replace("_", "-")
        parser.add_argument(
            option, type=kind, default=field.default, metavar="X", help=f"{HELP[field.name]} (default: {field.default})"
        )


def run(args: argparse.Namespace) -> int:
    """Trains and prints the card."""
    import torch

    from cmkt.training.callbacks import StopRequested
    from cmkt.training.language_model.card import model_card
    from cmkt.training.language_model.settings import Settings
    from cmkt.training.language_model.train import train_language_models

    settings = Settings(**{field.name: getattr(args, field.name) for field in fields(Settings)})
    if args.threads is not None:
        if args.threads < 1:
            raise ConfigError(f"`--threads` must be at least 1, but is {args.threads} instead.")
        torch.set_num_threads(args.threads)
    try:
        report = train_language_models(
            args.text,
            args.held_out,
            args.output,
            settings=settings,
            asked=args.neighbours,
            accelerator=args.accelerator,
        )
    except (StopRequested, SystemExit) as stopped:
        sys.stderr.write(f"Interrupted: {stopped}. The same command goes on from there.\n")
        return INTERRUPTED
    sys.stdout.write(model_card(report))
    return 0
