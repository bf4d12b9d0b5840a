"""Compare evaluated systems with each other: which is better, in what, and how sure that is.

Takes folders that `cmkt evaluate` wrote; one folder with several models is enough. Every later system is compared with
the first one, on the same mixtures: mean difference over utterances (each averaged over its SNRs first), a 95%
bootstrap interval that draws whole speakers where speakers repeat and whole utterances otherwise, and Wilcoxon's
signed-rank test with Holm's correction for the number of tests. Systems that were scored on different mixtures are
refused, with those that differ, and words that were measured among other numbers of sentences or by another recogniser.

  cmkt evaluate --model runs/plain --data data/dev --output scores/plain
  cmkt evaluate --model runs/transfer --data data/dev --output scores/transfer
  cmkt compare scores/plain scores/transfer

One run of each cannot tell a better method from a luckier seed. --arms takes several runs of one configuration
together, under the names that the evaluation has for them, and gives intervals for other seeds and other utterances,
how much the seeds do, and the smallest difference that so many runs and utterances would show. Three runs of each or
more.

  cmkt compare scores --arms plain=plain,plain-2,plain-3 transfer=transfer,transfer-2,transfer-3 --paired-seeds
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmkt.evaluation.groups import GroupCell
    from cmkt.evaluation.run_scores import Evaluated

SUMMARY = "compare evaluated systems on the same mixtures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt compare`."""
    parser.add_argument(
        "evaluations", type=Path, nargs="+", metavar="FOLDER", help="folders with scores.jsonl, the baseline first"
    )
    parser.add_argument("--metric", nargs="+", metavar="NAME", help="such as stoi pesq_wb (default: all)")
    parser.add_argument(
        "--arms", nargs="+", metavar="NAME=RUN,RUN,...", help="runs that differ in their seed alone, the baseline first"
    )
    parser.add_argument(
        "--paired-seeds",
        action="store_true",
        help="runs of one place in each arm share their seed: initial weights and batches",
    )
    parser.add_argument(
        "--group-by",
        nargs="+",
        default=[],
        metavar="FIELD",
        help="also by group: snr language gender age duration corpus reverberation noise_kind noise_class speaker, or "
        "any other field of the data",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the comparison for programs too")


def run(args: argparse.Namespace) -> int:
    """Compares and prints the tables and the conclusion."""
    from cmkt.audio.write import write_json
    from cmkt.errors import ConfigError
    from cmkt.evaluation.group_table import groups_markdown, groups_values
    from cmkt.evaluation.run_scores import gather
    from cmkt.metrics.about import ABOUT

    if unknown := [name for name in args.metric or () if name not in ABOUT]:
        raise ConfigError(f"`--metric` must be among {', '.join(ABOUT)}, but is {', '.join(unknown)}.")
    if args.paired_seeds and not args.arms:
        raise ConfigError("`--paired-seeds` must come with --arms, but does not. Name the runs of each arm.")
    systems = gather(args.evaluations)
    metrics = args.metric or tuple(ABOUT)
    if args.arms:
        compared, text, values = _compare_arms(systems, metrics, args)
    else:
        compared, text, values = _compare_systems(systems, metrics)
    if args.group_by:
        cells = _group_cells(compared, metrics, args.group_by)
        shown = {"metrics": args.metric} if args.metric else {}
        parts = groups_markdown(cells, fields=args.group_by, baseline=compared[0].name, **shown)
        note = ["Of groups, the means over runs are compared: their intervals leave seeds out."] if args.arms else []
        text, values = text + "\n" + "\n\n".join([*parts, *note]) + "\n", {**values, "groups": groups_values(cells)}
    sys.stdout.write(text)
    if args.json is not None:
        write_json(args.json, values)
    return 0


def _compare_systems(
    systems: Sequence[Evaluated], metrics: Sequence[str]
) -> tuple[Sequence[Evaluated], str, dict[str, Any]]:
    from cmkt.evaluation.conclusion import compare_all, conclusion_markdown, conclusion_values

    tested = compare_all(systems, metrics)
    _check_some(tested)
    return systems, conclusion_markdown(tested), conclusion_values(tested)


def _compare_arms(
    systems: Sequence[Evaluated], metrics: Sequence[str], args: argparse.Namespace
) -> tuple[Sequence[Evaluated], str, dict[str, Any]]:
    from cmkt.evaluation.arm_comparison import compare_arms
    from cmkt.evaluation.arm_table import arms_markdown, arms_values
    from cmkt.evaluation.arms import find_arms, mean_of_runs

    arms = find_arms(systems, args.arms)
    compared = compare_arms(arms, metrics, paired=args.paired_seeds)
    _check_some(compared)
    return [mean_of_runs(arm) for arm in arms], arms_markdown(compared), arms_values(arms, compared)


def _check_some(compared: Sequence[object]) -> None:
    from cmkt.errors import DataError

    if not compared:
        raise DataError("The systems must share a metric that has a value on some mixture, but share none.")


def _group_cells(systems: Sequence[Evaluated], metrics: Sequence[str], fields: Sequence[str]) -> list[GroupCell]:
    """Each later system against the first; arms by the means of their runs, so that seeds are left out."""
    from cmkt.evaluation.groups import group_cells

    scores = [score for system in systems for score in system.scores.values()]
    return group_cells(scores, metrics, fields=fields, baseline=systems[0].name)
