"""Compare evaluated systems with each other: which is better, in what, and how sure that is.

Takes folders that `cmkt evaluate` wrote; one folder with several models is enough. Every later system is compared with
the first one, on the same mixtures: mean difference over utterances (each averaged over its SNRs first), a 95%
bootstrap interval that draws whole speakers where speakers repeat and whole utterances otherwise, and Wilcoxon's
signed-rank test with Holm's correction for the number of tests. Systems that were scored on different mixtures are
refused, with those that differ, and words that were measured among other numbers of sentences.

  cmkt evaluate --model runs/plain --data data/dev --output scores/plain
  cmkt evaluate --model runs/transfer --data data/dev --output scores/transfer
  cmkt compare scores/plain scores/transfer
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SUMMARY = "compare evaluated systems on the same mixtures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt compare`."""
    parser.add_argument(
        "evaluations", type=Path, nargs="+", metavar="FOLDER", help="folders with scores.jsonl, the baseline first"
    )
    parser.add_argument("--metric", nargs="+", metavar="NAME", help="such as stoi pesq_wb (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the comparison for programs too")


def run(args: argparse.Namespace) -> int:
    """Compares and prints the table and the conclusion."""
    from cmkt.audio.write import write_json
    from cmkt.errors import ConfigError, DataError
    from cmkt.evaluation.conclusion import compare_all, conclusion_markdown, conclusion_values
    from cmkt.evaluation.run_scores import gather
    from cmkt.metrics.about import ABOUT

    if unknown := [name for name in args.metric or () if name not in ABOUT]:
        raise ConfigError(f"`--metric` must be among {', '.join(ABOUT)}, but is {', '.join(unknown)}.")
    tested = compare_all(gather(args.evaluations), args.metric or tuple(ABOUT))
    if not tested:
        raise DataError("The systems must share a metric that has a value on some mixture, but share none.")
    sys.stdout.write(conclusion_markdown(tested))
    if args.json is not None:
        write_json(args.json, conclusion_values(tested))
    return 0
