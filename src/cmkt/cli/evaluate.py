"""Score enhancers on held-out mixtures: PESQ-WB, STOI, ESTOI and SI-SDR, beside the noisy input.

Every utterance of a prepared folder is mixed with noise of that folder at every SNR, the same for every model and every
run. Scores go to OUTPUT/scores.jsonl, one line for each utterance, SNR and system; a run that was stopped goes on where
it was. OUTPUT/summary.json and OUTPUT/summary.md hold means, standard errors and differences, the differences against
noisy in each group of the data (SNR, language, gender, age, corpus, noise class) with 95% intervals, and whether any
group of 20 utterances or more, of 10 speakers or more where speakers repeat, is harmed: its interval of STOI, PESQ,
SI-SDR or, with --words, identification lies below zero.

--words also measures whether the words survive, which needs English transcripts in DIR and `pip install 'cmkt[asr]'`. A
recogniser chooses the sentence that was said among 11: the true transcript and 10 others of DIR of similar length, by
forced alignment. The rate of right choices (chance: 1 in 11) and the margin are told for noisy, enhanced and clean.
About half a second for each utterance, SNR and system.

  cmkt evaluate --model runs/plain runs/transfer --data data/dev --output scores --words
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cmkt.audio.files import check_output_folder

SUMMARY = "score enhancers on held-out mixtures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt evaluate`."""
    parser.add_argument(
        "--model", nargs="+", required=True, metavar="RUN", help="`default`, run directories or .safetensors files"
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a prepared folder with noise")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where scores and summary go")
    parser.add_argument("--snr", type=float, nargs="+", default=[-5.0, 0.0, 5.0, 10.0], help="SNRs in dB (-5 0 5 10)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N utterances")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes; 0: in this one (default: one a core)")
    parser.add_argument("--seed", type=int, default=0, help="of the mixtures (0)")
    parser.add_argument("--save-audio", type=int, default=0, metavar="K", help="keep the audio of K utterances")
    parser.add_argument("--device", default="cpu", help="where the models run (cpu)")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load model classes from outside cmkt, which runs their code"
    )
    parser.add_argument("--words", action="store_true", help="also measure whether sentences are recognised")
    parser.add_argument(
        "--candidates", type=int, default=10, metavar="N", help="sentences that compete with the true one (10)"
    )
    parser.add_argument(
        "--words-cache",
        type=Path,
        metavar="DIR",
        help="where likelihoods are kept, so that noisy and clean are measured once ($XDG_CACHE_HOME/cmkt/evaluation)",
    )
    parser.add_argument(
        "--verdict", action="store_true", help="DIR is the dev split: say whether a comparison with each run counts"
    )


def run(args: argparse.Namespace) -> int:
    """Evaluates and prints the tables. 1 where some mixture failed, else 0."""
    from cmkt.evaluation.counts import find_log, run_verdict
    from cmkt.evaluation.evaluate import Settings, evaluate, find_systems
    from cmkt.evaluation.pool import usable_cores
    from cmkt.evaluation.results import write_results
    from cmkt.evaluation.summary import summarise

    check_output_folder(args.output)
    settings = Settings(
        data=args.data,
        output=args.output,
        snrs_db=tuple(args.snr),
        seed=args.seed,
        limit=args.limit,
        save_audio=args.save_audio,
        device=args.device,
        allow_foreign=args.allow_foreign,
        candidates=args.candidates if args.words else None,
        words_cache=args.words_cache,
    )
    for model in args.model if args.verdict else ():
        find_log(Path(model))  # its lack must show now, not after hours of scoring
    systems = find_systems(args.model, device=args.device, allow_foreign=args.allow_foreign)
    scores = evaluate(settings, systems, jobs=usable_cores() if args.jobs is None else args.jobs)
    verdicts = {}
    if args.verdict:
        summary = summarise(scores, ("stoi", "si_sdr"))
        verdicts = {
            system.name: run_verdict(Path(system.source), summary[system.name])
            for system in systems
            if system.source is not None
        }
    sys.stdout.write("\n" + write_results(settings, systems, scores, verdicts=verdicts) + "\n")
    failed = sum(score.error is not None for score in scores)
    sys.stdout.write(f"Scores: {settings.scores_path}\n")
    if failed:
        sys.stderr.write(f"{failed} of {len(scores)} scores failed; the reasons are in the file of scores.\n")
    return 1 if failed else 0
