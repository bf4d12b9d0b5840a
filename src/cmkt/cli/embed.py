"""`cmkt embed`: what a frozen language model says of every transcript, once, into a store that training reads."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmkt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from cmkt.text.embedded import EmbeddedTeacher
    from cmkt.text.embedding import Embedding
    from cmkt.text.huggingface import HuggingFaceTeacher

SUMMARY = "fill the embedding store with what a language model says of the transcripts"
SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds data, teacher and store."""
    parser.add_argument(
        "--data", required=True, nargs="+", type=Path, metavar="DIR", help="folders that `cmkt prepare` wrote"
    )
    parser.add_argument(
        "--teacher",
        default="embedded",
        metavar="T",
        help="embedded (the shipped model for the language of the transcripts), embedded-en, "
        "embedded-zh, embedded-zh-causal, a folder, or a name on the Hugging Face hub (default: embedded)",
    )
    parser.add_argument(
        "--layer",
        type=int,
        nargs="+",
        default=[-1],
        help="hidden state to take, of several the mean; 0 is the input (default: -1, the last)",
    )
    parser.add_argument(
        "--pool",
        choices=("tokens", "words", "characters"),
        default="tokens",
        help="a vector for each of these; Hanzi and kana are words of their own (default: tokens)",
    )
    parser.add_argument(
        "--spoken", action="store_true", help="let the teacher read numbers in words, and no punctuation"
    )
    parser.add_argument(
        "--dtype", choices=("float32", "float16", "bfloat16"), default="float32", help="of the teacher (float32)"
    )
    parser.add_argument("--revision", metavar="R", help="commit, tag or branch of a teacher on the hub")
    parser.add_argument(
        "--output", required=True, type=Path, metavar="STORE", help="folder of the store, made or added to"
    )
    parser.add_argument(
        "--batch-tokens", type=int, default=4096, metavar="N", help="tokens that run at once (default: 4096)"
    )
    parser.add_argument(
        "--bits", type=int, choices=(16, 8), default=16, help="of each value in the store; 8 halves it (default: 16)"
    )
    parser.add_argument("--max-tokens", type=int, default=512, metavar="N", help="longest transcript (default: 512)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, ... (default: cpu)")
    parser.add_argument(
        "--devices", type=int, default=1, metavar="N", help="so many of that kind at once, a process each (default: 1)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help=f"only show how the teacher reads the first {SHOWN} transcripts"
    )


def run(args: argparse.Namespace) -> int:
    """Embeds and prints what the store holds then."""
    # Set before the tokenizer is first used: its threads and DataLoader workers made by a fork do not go together.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    _check(args)
    texts = _transcripts(args.data)
    teacher = _teacher(args, texts)
    if args.dry_run:
        _show(teacher, texts)
        return 0
    done = _embed(args, teacher, texts)
    if done is not None:
        _report(done, args.output)
    return 0


def _check(args: argparse.Namespace) -> None:
    """What cannot work must show before any transcript is read."""
    from cmkt.device import check_device

    for option in ("batch_tokens", "max_tokens", "devices"):
        if getattr(args, option) < 1:
            raise ConfigError(
                f"`--{option.replace('_', '-')}` must be at least 1, but is {getattr(args, option)} instead."
            )
    if check_device(args.device).index is not None and args.devices > 1:
        raise ConfigError(
            f"`--device` must be a kind without an index where `--devices` is {args.devices}, but is {args.device!r} "
            "instead. Which CUDA devices are used can be chosen by the variable CUDA_VISIBLE_DEVICES."
        )


def _embed(
    args: argparse.Namespace, teacher: EmbeddedTeacher | HuggingFaceTeacher, texts: list[str]
) -> Embedding | None:
    """What was done; None in the processes that Lightning started for the other devices."""
    if args.devices == 1:
        from cmkt.text.embedding import embed_texts

        return embed_texts(teacher, texts, args.output, bits=args.bits)
    from cmkt.training.embedding import embed_on_devices

    return embed_on_devices(
        teacher,
        texts,
        args.output,
        devices=args.devices,
        accelerator="gpu" if args.device == "cuda" else args.device,
        bits=args.bits,
    )


def _transcripts(folders: list[Path]) -> list[str]:
    from cmkt.data.manifest import cut_text, load_prepared
    from cmkt.text.embedding import unique_texts

    cuts = [cut for folder in folders for cut in load_prepared(folder).speech]
    texts = unique_texts(map(cut_text, cuts))
    if not texts:
        raise DataError(
            f"{', '.join(map(str, folders))} must hold transcripts, but none of the {len(cuts)} cuts has one."
        )
    return texts


def _teacher(args: argparse.Namespace, texts: list[str]) -> EmbeddedTeacher | HuggingFaceTeacher:
    from cmkt.text.embedded import EMBEDDED, EMBEDDED_MODELS, EmbeddedTeacher, embedded_name
    from cmkt.text.huggingface import HuggingFaceTeacher
    from cmkt.text.store import is_store

    if args.teacher in (EMBEDDED, *EMBEDDED_MODELS):
        if args.revision is not None:
            raise ConfigError("`--revision` must be left out for the embedded teacher: its weights are pinned.")
        name = embedded_name(texts) if args.teacher == EMBEDDED else args.teacher
        return EmbeddedTeacher(name, **_reading(args))
    if is_store(args.teacher):
        raise ConfigError(f"`--teacher` must be a language model, but {args.teacher} is an embedding store.")
    return HuggingFaceTeacher(args.teacher, revision=args.revision, **_reading(args))


def _reading(args: argparse.Namespace) -> dict[str, Any]:
    """What every language model takes."""
    names = ("layer", "pool", "spoken", "dtype", "device", "max_tokens", "batch_tokens")
    given = {name: getattr(args, name) for name in names}
    return given if args.devices == 1 else {**given, "device": "cpu"}  # of many, each process moves it to its own


def _show(teacher: EmbeddedTeacher | HuggingFaceTeacher, texts: list[str]) -> None:
    sys.stdout.write(
        f"teacher {teacher.identity}, width {teacher.width}\n{len(texts)} unique transcripts, the first:\n"
    )
    for text in texts[:SHOWN]:
        rows = {"transcript": text, "normalised": teacher.normalise(text), "tokens": " ".join(teacher.tokens(text))}
        sys.stdout.write("\n" + "".join(f"  {name:<12}{value}\n" for name, value in rows.items()))


def _report(done: Embedding, output: Path) -> None:
    store = done.store
    sys.stdout.write(
        f"{done.embedded} transcripts embedded, {done.present} were there already\n"
        f"{output} holds {store.texts} texts, {store.tokens} tokens, {done.bytes_per_token:.0f} bytes per token\n"
        f"cosine error of what this run stored {done.coding_error:.1e} (mean over tokens of 1 - cos)\n"
        f"unknown tokens {store.unknown_share:.1%}\n"
        f"mean-direction floor {store.mean_direction_floor:.3f} "
        "(L_CMA per token of always answering one direction; a lower loss is needed to say anything)\n"
    )
