"""A report of evaluations and training runs: one HTML file with everything in it, which opens without a network.

Takes folders that `cmkt evaluate` wrote and run directories of `cmkt fit`, in any number; of a run that crashed it
tells what is there. It has a table of all systems, whether anyone is harmed, paired comparisons, distributions by SNR,
groups, the mixtures that a system helped least and most (to hear, to see, and with the words that a recogniser
understood), attention maps and curves of the runs, what everything cost, and how to make it again.

Audio is what `cmkt evaluate --save-audio K` kept, or is made again where data and model are still there.

  cmkt evaluate --model runs/plain runs/transfer --data data/dev --output scores --words --save-audio 24
  cmkt report scores runs/plain runs/transfer --output report.html
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cmkt.errors import ConfigError

SUMMARY = "make a report of evaluations and runs, one HTML file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt report`."""
    parser.add_argument(
        "sources", type=Path, nargs="+", metavar="FOLDER", help="folders of `cmkt evaluate` and `cmkt fit`"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="the report, such as report.html")
    parser.add_argument("--overwrite", action="store_true", help="replace a report that is there")
    parser.add_argument("--title", default="Speech enhancement report", help="what stands at the top")
    parser.add_argument(
        "--utterances", type=int, default=3, metavar="N", help="so many worst and best of each kind to hear (3)"
    )
    parser.add_argument("--system", metavar="NAME", help="by what this system changed (default: the first)")
    parser.add_argument(
        "--group-by",
        nargs="+",
        default=[],
        metavar="FIELD",
        help="groups of these fields of the data besides the usual",
    )
    parser.add_argument(
        "--arms",
        nargs="+",
        default=[],
        metavar="NAME=RUN,RUN,...",
        help="compare runs that differ in their seed alone together, the baseline first",
    )
    parser.add_argument(
        "--paired-seeds", action="store_true", help="runs of one place in each arm share their seed (with --arms)"
    )
    parser.add_argument("--speed", action="store_true", help="measure real-time factors on this machine")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load model classes from outside cmkt, which runs their code"
    )


def run(args: argparse.Namespace) -> int:
    """Writes the report and says where it is and how large."""
    from cmkt.audio.write import write_text
    from cmkt.evaluation.report.document import make_document
    from cmkt.evaluation.report.options import Options
    from cmkt.evaluation.report.page import render
    from cmkt.evaluation.report.sources import find_sources

    _check_output(args.output, overwrite=args.overwrite)
    options = Options(
        title=args.title,
        utterances=args.utterances,
        system=args.system,
        group_by=tuple(args.group_by),
        arms=tuple(args.arms),
        paired_seeds=args.paired_seeds,
        speed=args.speed,
        allow_foreign=args.allow_foreign,
    )
    page = render(make_document(find_sources(args.sources), options))
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.output, page)
    sys.stdout.write(f"Report: {args.output} ({args.output.stat().st_size / 1e6:.1f} MB)\n")
    return 0


def _check_output(path: Path, *, overwrite: bool) -> None:
    """Refuses, before any work, what cannot become the file."""
    if path.is_dir():
        raise ConfigError(f"`--output` must be a file such as report.html, but {path} is a folder.")
    if path.exists() and not overwrite:
        raise ConfigError(f"`--output` must be a new file, but {path} exists. Name another, or add --overwrite.")
