"""`cmkt prepare`: own audio in, a prepared folder out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cmkt.audio.files import check_output_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cmkt.data.entry import Entry, Kind

SUMMARY = "check own speech, noise and room recordings and write manifests for training"
KINDS: tuple[Kind, ...] = ("speech", "noise", "rir")


def _part(text: str) -> tuple[float, float]:
    lower, separator, upper = text.partition("-")
    try:
        part = (float(lower), float(upper))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be FROM-TO such as 0-0.9, but is {text!r} instead") from error
    if not separator or not 0.0 <= part[0] < part[1] <= 1.0:
        raise argparse.ArgumentTypeError(f"must be FROM-TO with 0 <= FROM < TO <= 1, but is {text!r} instead")
    return part


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="the prepared folder to write")
    parser.add_argument(
        "--workers", type=int, default=None, metavar="N", help="checking processes (default: all cores)"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the recipes `folder` and `jsonl` with their options."""
    recipes = parser.add_subparsers(dest="recipe", required=True, metavar="{folder,jsonl}")
    folder = recipes.add_parser("folder", help="folders of audio files, with or without transcripts")
    folder.add_argument(
        "--speech",
        required=True,
        type=Path,
        metavar="DIR",
        help="clean speech; a .txt beside a file is its transcript, its folder the speaker",
    )
    folder.add_argument("--noise", type=Path, metavar="DIR", help="noise; the parent folder is its class")
    folder.add_argument("--rir", type=Path, metavar="DIR", help="room impulse responses")
    folder.add_argument("--transcripts", type=Path, metavar="FILE", help="CSV or TSV with the columns file and text")
    folder.add_argument(
        "--dev-fraction",
        type=float,
        default=0.1,
        metavar="X",
        help="share for OUTPUT/dev beside OUTPUT/train; 0 writes OUTPUT itself (default: 0.1)",
    )
    folder.add_argument("--seed", type=int, default=0, help="seed of the split (default: 0)")
    _add_common(folder)
    jsonl = recipes.add_parser("jsonl", help="lists with one JSON object a line (audio, id, text, speaker, class, ...)")
    for kind in KINDS:
        jsonl.add_argument(
            f"--{kind}", required=kind == "speech", type=Path, metavar="LIST", help=f"list of {kind} files"
        )
        jsonl.add_argument(
            f"--{kind}-ids", metavar="REGEX", help=f"take only {kind} whose id matches; '^(?!abc)' leaves abc out"
        )
        jsonl.add_argument(
            f"--{kind}-part",
            type=_part,
            default=(0.0, 1.0),
            metavar="FROM-TO",
            help=f"take only {kind} whose id hashes into this part; 0-0.9 and 0.9-1 are a fixed split",
        )
        jsonl.add_argument(
            f"--{kind}-group",
            metavar="REGEX",
            help=f"for the part, hash {kind} ids with the same match as one: excerpts of one recording stay together",
        )
    jsonl.add_argument(
        "--root", type=Path, metavar="DIR", help="what paths are relative to (default: the list's folder)"
    )
    _add_common(jsonl)


def run(args: argparse.Namespace) -> int:
    """Prepares and prints the report; 1 when no usable speech is left in a folder that was written, else 0."""
    check_output_folder(args.output)
    if args.recipe == "jsonl":
        from cmkt.recipes.jsonl import read_list

        entries: dict[Kind, list[Entry]] = {}
        for kind in KINDS:
            path = getattr(args, kind)
            if path is not None:
                entries[kind] = read_list(
                    path,
                    root=args.root,
                    ids=getattr(args, f"{kind}_ids"),
                    part=getattr(args, f"{kind}_part"),
                    group=getattr(args, f"{kind}_group"),
                )
        status = _write({args.output: entries}, args.workers)
        for kind, listed in entries.items():
            if listed and not any(entry.path.exists() for entry in listed):
                base = args.root or getattr(args, kind).parent
                sys.stdout.write(f"  hint: {kind} files are looked for in {base}; --root names another folder\n")
        return status
    from cmkt.recipes.folder import noise_entries, rir_entries, speech_entries, split_dev

    found: dict[Kind, list[Entry]] = {"speech": speech_entries(args.speech, transcripts=args.transcripts)}
    if args.noise is not None:
        found["noise"] = noise_entries(args.noise)
    if args.rir is not None:
        found["rir"] = rir_entries(args.rir)
    if args.dev_fraction == 0:
        return _write({args.output: found}, args.workers)
    train, dev = split_dev(found, args.dev_fraction, seed=args.seed)
    return _write({args.output / "train": train, args.output / "dev": dev}, args.workers)


def _write(folders: Mapping[Path, Mapping[Kind, Sequence[Entry]]], workers: int | None) -> int:
    from cmkt.data.preparation import prepare

    usable = True
    for directory, entries in folders.items():
        report = prepare(entries, directory, workers=workers)
        sys.stdout.write(f"{directory}\n" + "".join(f"  {line}\n" for line in report.lines()))
        if report.kinds["speech"].kept == 0:
            usable = False
            sys.stdout.write(f"  error: nothing usable is left of the speech for {directory}\n")
    return 0 if usable else 1
