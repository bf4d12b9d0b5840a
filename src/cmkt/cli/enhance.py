"""`cmkt enhance`: audio files and folders in, enhanced copies out.

Rate, length and channels stay as they are, and so do format and subtype unless --format names another. What libsndfile
does not read (m4a, mp4, webm, wma, mkv, ...) is decoded by the ffmpeg program and becomes WAV; of a video, the sound.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from cmkt.audio.encoding import FORMATS
from cmkt.cli.once import warnings_once
from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cmkt.inference.destinations import Arrangement, Existing
    from cmkt.inference.files import Outcome

SUMMARY = "enhance audio files or folders of any rate, channel count and length"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `cmkt enhance`."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="audio files, or folders of them")
    parser.add_argument(
        "--model",
        default="default",
        help="run directory, folder with model.json, .safetensors or .onnx (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("enhanced"),
        metavar="DIR",
        help="folder for the outputs; mirrors the inputs (default: %(default)s)",
    )
    parser.add_argument(
        "--attenuation-limit-db",
        type=float,
        metavar="X",
        help="turn nothing down by more than X dB (default: no limit)",
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="format of all outputs (default: that of each input, wav where it has none)"
    )
    parser.add_argument(
        "--suffix",
        default="",
        metavar="TEXT",
        help="put after each name: with _enhanced, a.wav becomes a_enhanced.wav",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="work on N files at once, each in a process with one thread (default: %(default)s)",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...: run in torch there (default: the processor)")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load a model class from outside cmkt, which runs its code"
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--skip-existing", action="store_true", help="leave outputs alone that exist already")
    existing.add_argument("--overwrite", action="store_true", help="replace outputs that exist already")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 if every file was enhanced or skipped, 1 if some could not be."""
    from cmkt.inference.destinations import Naming, arrange
    from cmkt.inference.files import total_seconds
    from cmkt.inference.stream import dry_gain

    dry_gain(args.attenuation_limit_db)
    if args.jobs < 1:
        raise ConfigError(f"`jobs` must be at least 1, but is {args.jobs}.")
    naming = Naming(format=args.format, suffix=args.suffix)
    arrangement = arrange(args.inputs, args.output, naming=naming, on_existing=_existing(args))
    total = total_seconds(arrangement.jobs)
    with (
        warnings_once(),
        logging_redirect_tqdm(),
        tqdm(total=total, unit="s", unit_scale=True, desc="enhancing", disable=None) as bar,
    ):
        outcome = _enhance(args, arrangement, bar.update)
    _report(outcome, args.output)
    return 1 if outcome.failed else 0


def _enhance(args: argparse.Namespace, arrangement: Arrangement, on_progress: Callable[[float], None]) -> Outcome:
    from cmkt.inference.files import enhance_arranged
    from cmkt.inference.load import load
    from cmkt.inference.workers import enhance_in_processes

    loader = partial(load, args.model, device=args.device, allow_foreign=args.allow_foreign)
    if args.jobs == 1:
        return enhance_arranged(
            loader(), arrangement, attenuation_limit_db=args.attenuation_limit_db, on_progress=on_progress
        )
    return enhance_in_processes(
        loader,
        arrangement,
        processes=args.jobs,
        attenuation_limit_db=args.attenuation_limit_db,
        on_progress=on_progress,
    )


def _existing(args: argparse.Namespace) -> Existing:
    if args.skip_existing:
        return "skip"
    return "overwrite" if args.overwrite else "refuse"


def _report(outcome: Outcome, output: Path) -> None:
    for path, reason in outcome.failed:
        sys.stderr.write(f"not enhanced: {path}: {reason}\n")
    counts = [f"{len(outcome.written)} {'file' if len(outcome.written) == 1 else 'files'} enhanced"]
    if outcome.skipped:
        counts.append(f"{len(outcome.skipped)} skipped")
    if outcome.failed:
        counts.append(f"{len(outcome.failed)} failed")
    speed = f", real-time factor {outcome.real_time_factor:.4f}" if outcome.written else ""
    sys.stdout.write(f"{', '.join(counts)}; outputs in {output}{speed}\n")
