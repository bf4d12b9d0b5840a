"""Score enhancers on held-out speech, beside the noisy input: quality, intelligibility, words.

What to enhance is one of these:
  --data DIR       a prepared folder: every utterance is mixed with noise of the folder at every SNR, the same for every
                   model and every run
  --pairs LIST     a list of pairs of files, as `cmkt mix` writes it (docs/test_sets.md)
  --noisy DIR      a folder, with --clean DIR for the references (same names), or alone: a test set in the layout of
                   VoiceBank+DEMAND or the DNS Challenge, or recordings without references, of which only scores that
                   need none are told
Who enhances: models (--model), and any other system whose output lies in a folder under the names of the noisy files
(--enhanced, with --pairs or --noisy).

Scores go to OUTPUT/scores.jsonl, one line for each utterance, SNR and system; a run that was stopped goes on where it
was, and audio that was ever scored is not scored again (--cache). OUTPUT/summary.json and summary.md hold means,
standard errors and differences, the differences against noisy in each group of the data with 95% intervals, and
whether any group is harmed. OUTPUT/evaluation.json says how it was made. docs/evaluation.md tells more.

--words also measures whether the words survive, which needs English transcripts and `pip install 'cmkt[asr]'`: a
recogniser chooses the sentence that was said among 11 of the data. About half a second for each utterance, SNR and
system. --transcriber tells the word errors of a recogniser, for noisy, enhanced and clean.

  cmkt evaluate --model runs/plain runs/transfer --data data/dev --output scores --words
  cmkt evaluate --model default --enhanced theirs=out/ --pairs test/list.jsonl --output scores
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cmkt.audio.files import check_output_folder
from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmkt.evaluation.counts import Verdict
    from cmkt.evaluation.evaluated_model import Model
    from cmkt.evaluation.held_out import Source
    from cmkt.evaluation.record import Score
    from cmkt.evaluation.settings import Settings

SUMMARY = "score enhancers on held-out speech"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt evaluate`."""
    from cmkt.metrics.registry import METRICS

    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--data", type=Path, metavar="DIR", help="a prepared folder with noise")
    where.add_argument("--pairs", type=Path, metavar="LIST", help="a list of pairs of files")
    where.add_argument("--noisy", type=Path, metavar="DIR", help="a folder of noisy speech, or of a whole test set")
    parser.add_argument("--clean", type=Path, metavar="DIR", help="the references of --noisy")
    parser.add_argument("--transcripts", type=Path, metavar="PATH", help="a table or folder of texts for --noisy")
    parser.add_argument(
        "--model", nargs="+", default=[], metavar="RUN", help="`default`, run directories, .safetensors or .onnx files"
    )
    parser.add_argument(
        "--enhanced", nargs="+", default=[], metavar="[NAME=]DIR", help="folders that other systems enhanced into"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where scores and summary go")
    parser.add_argument("--snr", type=float, nargs="+", help="SNRs in dB of the mixtures of --data (-5 0 5 10)")
    parser.add_argument(
        "--sample-rate",
        type=int,
        metavar="HZ",
        help="resample everything to this first (default: 16000 for --data, the rate of the files otherwise)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only N utterances, always the same")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes; 0: in this one (default: one a core)")
    parser.add_argument("--seed", type=int, default=0, help="of the mixtures and of --limit (0)")
    parser.add_argument("--save-audio", type=int, default=0, metavar="K", help="keep the audio of K utterances")
    parser.add_argument("--device", help="where torch models and recognisers run; `default` is then in torch (cpu)")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load model classes from outside cmkt, which runs their code"
    )
    parser.add_argument(
        "--metrics", nargs="+", metavar="NAME", help=f"`usual` (the default), `dnsmos`, or among {', '.join(METRICS)}"
    )
    parser.add_argument("--words", action="store_true", help="also measure whether sentences are identified")
    parser.add_argument(
        "--candidates", type=int, default=10, metavar="N", help="sentences that compete with the true one (10)"
    )
    parser.add_argument(
        "--transcriber",
        metavar="NAME",
        help="also count word errors by a recogniser: pocketsphinx, faster-whisper:NAME or transformers:NAME",
    )
    parser.add_argument(
        "--group-by", nargs="+", default=[], metavar="FIELD", help="also show groups by these fields of the data"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="where everything measured is kept by content ($XDG_CACHE_HOME/cmkt/evaluation)",
    )
    parser.add_argument("--no-cache", action="store_true", help="keep nothing there, and take nothing from there")
    parser.add_argument(
        "--verdict",
        action="store_true",
        help="this is the dev split: say whether a comparison with each run counts",
    )


def run(args: argparse.Namespace) -> int:
    """Evaluates and prints the tables. 1 where some mixture failed, else 0."""
    from cmkt.evaluation.evaluate import evaluate
    from cmkt.evaluation.evaluated_model import find_models
    from cmkt.evaluation.groupings import find_field
    from cmkt.evaluation.opened import open_held_out
    from cmkt.evaluation.plan import make_plan
    from cmkt.evaluation.pool import usable_cores
    from cmkt.evaluation.results import write_results
    from cmkt.evaluation.systems import find_systems

    check_output_folder(args.output)
    settings = _settings(args)
    if args.verdict:
        _check_logs(args.model)
    models = find_models(args.model, device=args.device, allow_foreign=args.allow_foreign)
    held_out = open_held_out(settings)
    for field in args.group_by:
        find_field(field, held_out.fields)  # what the data lack must show now, not after hours of scoring
    plan = make_plan(settings)
    systems = find_systems(held_out, models=models, enhanced=args.enhanced, sample_rate=settings.sample_rate)
    scores = evaluate(plan, systems, jobs=usable_cores() if args.jobs is None else args.jobs)
    verdicts = _verdicts(models, scores) if args.verdict else {}
    text = write_results(plan, systems, scores, group_by=args.group_by, verdicts=verdicts)
    sys.stdout.write(f"\n{text}\nScores: {settings.scores_path}\n")
    failed = sum(score.error is not None for score in scores)
    if failed:
        sys.stderr.write(f"{failed} of {len(scores)} scores failed; the reasons are in the file of scores.\n")
    return 1 if failed else 0


def _settings(args: argparse.Namespace) -> Settings:
    from cmkt.evaluation.cache import default_cache
    from cmkt.evaluation.settings import Settings

    if args.no_cache and args.cache is not None:
        raise ConfigError("`--cache` must be left out where `--no-cache` is given.")
    return Settings(
        source=_source(args),
        output=args.output,
        seed=args.seed,
        sample_rate=args.sample_rate,
        limit=args.limit,
        save_audio=args.save_audio,
        metrics=None if args.metrics is None else tuple(args.metrics),
        candidates=args.candidates if args.words else None,
        transcriber=args.transcriber,
        transcriber_device=args.device or "cpu",
        cache=None if args.no_cache else args.cache or default_cache(),
    )


def _source(args: argparse.Namespace) -> Source:
    from cmkt.evaluation.pair_set import PairFolders, PairList
    from cmkt.evaluation.prepared_set import PreparedFolder

    if args.noisy is None and (args.clean is not None or args.transcripts is not None):
        raise ConfigError("`--clean` and `--transcripts` must belong to `--noisy`, but that is not given.")
    if args.data is not None:
        return PreparedFolder(args.data) if args.snr is None else PreparedFolder(args.data, tuple(args.snr))
    if args.snr is not None:
        raise ConfigError("`--snr` must belong to `--data`: the SNRs of files are theirs. Leave it out.")
    return PairList(args.pairs) if args.pairs is not None else PairFolders(args.noisy, args.clean, args.transcripts)


def _check_logs(models: Sequence[str]) -> None:
    """The lack of a log must show now, not after hours of scoring."""
    from cmkt.evaluation.counts import find_log

    for model in models:
        find_log(Path(model))


def _verdicts(models: Sequence[Model], scores: Sequence[Score]) -> dict[str, Verdict]:
    from cmkt.evaluation.counts import run_verdict
    from cmkt.evaluation.summary import summarise

    summary = summarise(scores, ("stoi", "si_sdr"))
    return {model.name: run_verdict(Path(model.source), summary[model.name]) for model in models}
