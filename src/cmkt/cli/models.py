"""List the backbones: parameters, operations, speed on one thread, latency and how far each hears.

Each is built with untrained weights in its default size, and about as large as in its paper where that is another, and
measured. All of them take minutes, the large ones most; the table of docs/models.md is this command's.

  cmkt models
  cmkt models CRN DPCRN --size default --json costs.json
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from pathlib import Path

SUMMARY = "list the backbones with size, speed and latency"

_LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt models`."""
    from cmkt.evaluation.backbones import SIZES

    parser.add_argument("names", nargs="*", metavar="BACKBONE", help="such as CRN (default: all)")
    parser.add_argument("--size", choices=SIZES, help="only this one (default: both)")
    parser.add_argument("--seconds", type=float, default=2.0, metavar="S", help="of audio to measure on (2)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="to take the median time of (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers for programs too")


def run(args: argparse.Namespace) -> int:
    """Measures, and prints the table. Exit code: 0."""
    from cmkt.audio.write import write_json
    from cmkt.errors import ConfigError
    from cmkt.evaluation.backbones import backbones_markdown, backbones_values, chosen, measure

    if not 0 < args.seconds < math.inf or args.runs < 1:
        raise ConfigError(
            f"`--seconds` and `--runs` must be positive and finite, but are {args.seconds:g} and {args.runs}."
        )
    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise ConfigError(f"The folder of `--json` must exist, but {args.json.absolute().parent} does not.")
    costs, pairs = [], chosen(args.names, args.size)
    for cost in measure(pairs, seconds=args.seconds, runs=args.runs):
        costs.append(cost)
        _LOG.info("%d of %d: %s, %s size", len(costs), len(pairs), cost.name, cost.size)
    sys.stdout.write(backbones_markdown(costs, seconds=args.seconds, runs=args.runs))
    if args.json is not None:
        write_json(args.json, backbones_values(costs, seconds=args.seconds, runs=args.runs))
    return 0
