"""`cmkt enhance`: audio files and folders in, enhanced copies out."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from cmkt.inference.files import Existing, Outcome

SUMMARY = "enhance audio files or folders of any rate, channel count and length"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `cmkt enhance`."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="audio files, or folders of them")
    parser.add_argument(
        "--model",
        default="default",
        help="run directory, folder with model.json, or .safetensors (default: %(default)s)",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder for the outputs; mirrors the inputs"
    )
    parser.add_argument(
        "--attenuation-limit-db",
        type=float,
        metavar="X",
        help="turn nothing down by more than X dB (default: no limit)",
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, ... (default: %(default)s)")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load a model class from outside cmkt, which runs its code"
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--skip-existing", action="store_true", help="leave outputs alone that exist already")
    existing.add_argument("--overwrite", action="store_true", help="replace outputs that exist already")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 if every file was enhanced or skipped, 1 if some could not be."""
    from cmkt.inference.files import enhance_files, total_seconds
    from cmkt.inference.load import load
    from cmkt.inference.stream import dry_gain

    dry_gain(args.attenuation_limit_db)
    total = total_seconds(args.inputs, args.output, on_existing=_existing(args))
    enhancer = load(args.model, device=args.device, allow_foreign=args.allow_foreign)
    with _warnings_once(), tqdm(total=total, unit="s", unit_scale=True, desc="enhancing", disable=None) as bar:
        outcome = enhance_files(
            enhancer,
            args.inputs,
            args.output,
            on_existing=_existing(args),
            attenuation_limit_db=args.attenuation_limit_db,
            on_progress=bar.update,
        )
    _report(outcome, args.output)
    return 1 if outcome.failed else 0


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


@contextmanager
def _warnings_once() -> Iterator[None]:
    """Each warning becomes one line on stderr, however many files it is about."""
    seen: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        if str(message) not in seen:
            seen.add(str(message))
            tqdm.write(f"warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield
