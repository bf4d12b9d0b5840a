"""Write down what a speech recogniser hears in audio files, or in the utterances of a prepared folder.

OUTPUT is a table with one JSON object a line (id, text, confidence, transcriber, and the transcript where there is
one). Of audio files it is a list that `cmkt prepare jsonl --speech` reads, so that transfer needs no transcripts. With
--data, OUTPUT may also be a new prepared folder: the same audio with the recognised texts, which `cmkt embed` and
`cmkt fit` use like any other, and the table in it, recognised.jsonl. Where transcripts exist (of files: a .txt beside
each), word errors are told; --keep-transcripts keeps these and recognises only the rest.

What was heard is kept by content (--cache), so a run that was stopped goes on where it was. Recognisers:
  pocketsphinx          English, offline, weak: it misses most words of any but clean, near, native speech
  faster-whisper:NAME   Whisper, many languages: a size such as small.en, or a folder; pip install 'cmkt[whisper]'
  transformers:NAME     any recogniser of transformers, by its name on the hub or a folder; pip install 'cmkt[train]'

  cmkt transcribe recordings/ --output heard.jsonl
  cmkt transcribe --data data/train --output data/train-heard --transcriber faster-whisper:small.en
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmkt.evaluation.recognition import Recognised
    from cmkt.evaluation.recordings import Recordings

SUMMARY = "write down what a speech recogniser hears, for training without transcripts"
LIST = ".jsonl"
SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt transcribe`."""
    parser.add_argument("inputs", nargs="*", type=Path, metavar="INPUT", help="audio files, or folders of them")
    parser.add_argument("--data", type=Path, metavar="DIR", help="a prepared folder, in place of INPUT")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="PATH", help="the table (.jsonl), or with --data a new folder"
    )
    parser.add_argument(
        "--transcriber",
        default="pocketsphinx",
        metavar="T",
        help="pocketsphinx, faster-whisper:NAME or transformers:NAME (default: %(default)s)",
    )
    parser.add_argument(
        "--side", choices=["clean", "noisy"], default="clean", help="listen to the speech, or to it mixed with noise"
    )
    parser.add_argument("--snr", type=float, metavar="DB", help="of the mixtures where --side noisy (5)")
    parser.add_argument("--seed", type=int, metavar="N", help="of the mixtures, as in `cmkt evaluate` (0)")
    parser.add_argument(
        "--keep-transcripts", action="store_true", help="recognise only utterances that have no transcript"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="processes; 0: in this one (default: one a core, 1 off the CPU)"
    )
    parser.add_argument("--device", default="cpu", help="where a network runs: cpu, cuda, ... (cpu)")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="where texts are kept by content ($XDG_CACHE_HOME/cmkt/evaluation)"
    )
    parser.add_argument("--no-cache", action="store_true", help="keep nothing there, and take nothing from there")


def run(args: argparse.Namespace) -> int:
    """Recognises, writes and tells about it. 1 where some recording failed, else 0."""
    from cmkt.evaluation.cache import default_cache
    from cmkt.evaluation.recognised_folder import TABLE, check_target, write_recognised
    from cmkt.evaluation.recognition import Listening, recognise, write_table

    _check(args)
    folder = args.output if args.output.suffix != LIST else None
    if folder is not None:
        check_target(args.data, folder)
    cache = None if args.no_cache else args.cache or default_cache()
    recognised = recognise(
        _recordings(args),
        Listening(args.transcriber, args.device, cache),
        keep_transcripts=args.keep_transcripts,
        jobs=_jobs(args),
    )
    table = args.output if folder is None else folder / TABLE
    table.parent.mkdir(parents=True, exist_ok=True)
    write_table(table, recognised)
    if folder is not None:
        report = write_recognised(args.data, folder, recognised)
        sys.stdout.write(f"{folder}\n" + "".join(f"  {line}\n" for line in report.lines()))
    sys.stdout.write("".join(f"{line}\n" for line in _told(recognised)) + f"{table}\n")
    return _tell_failed(recognised)


def _jobs(args: argparse.Namespace) -> int:
    """A recogniser for each core, but one alone on a graphics card, whose memory they would share."""
    from cmkt.evaluation.pool import usable_cores

    if args.jobs is not None:
        return int(args.jobs)
    return usable_cores() if args.device == "cpu" else 1


def _check(args: argparse.Namespace) -> None:
    if bool(args.inputs) == (args.data is not None):
        found = "both are given" if args.inputs else "neither is given"
        raise ConfigError(f"Either audio files or --data must be given, but {found}.")
    if args.data is None and args.output.suffix != LIST:
        raise ConfigError(
            f"--output must name a table that ends in {LIST}, not {args.output}: only --data has folders."
        )
    noisy = args.side == "noisy"
    for option, given, belongs, present in (
        ("--keep-transcripts", args.keep_transcripts, "--data", args.data is not None),
        ("--side", noisy, "--data", args.data is not None),
        ("--snr", args.snr is not None, "--side noisy", noisy),
        ("--seed", args.seed is not None, "--side noisy", noisy),
    ):
        if given and not present:
            raise ConfigError(f"{option} belongs to {belongs}, which is not given. Leave it out.")
    if args.snr is not None and not math.isfinite(args.snr):
        raise ConfigError(f"--snr must be finite, in dB, but is {args.snr}.")
    if args.cache is not None and args.no_cache:
        raise ConfigError("`--cache` must be left out where `--no-cache` is given.")


def _recordings(args: argparse.Namespace) -> Recordings:
    from cmkt.evaluation.recordings import AudioFiles, PreparedSpeech

    if args.data is None:
        return AudioFiles.find(args.inputs)
    if args.side == "clean":
        return PreparedSpeech(args.data)
    return PreparedSpeech(args.data, 5.0 if args.snr is None else args.snr, args.seed or 0)


def _told(recognised: Sequence[Recognised]) -> list[str]:
    """How many were heard, and what of the words that are known."""
    from cmkt.evaluation.recognition import errors_of

    heard = [each for each in recognised if each.transcriber is not None]
    counts = [f"{len(heard)} of {len(recognised)} recordings recognised"]
    if silent := sum(not each.text for each in heard):
        counts.append(f"{silent} without a word")
    if kept := sum(each.transcriber is None and each.text is not None for each in recognised):
        counts.append(f"{kept} kept their transcript")
    lines = [", ".join(counts)]
    errors = errors_of(recognised)
    if rates := errors.rates:
        words = errors.words
        lines.append(
            f"word error rate {rates['wer']:.3f}, character error rate {rates['cer']:.3f}, over {errors.utterances} "
            f"with a transcript: of {words.said} words {words.substituted} substituted, {words.deleted} deleted, "
            f"{words.inserted} inserted"
        )
    left_out = Counter(each.reason for each in recognised if each.reason is not None and not each.failed)
    lines += [f"{count} left out: {reason}" for reason, count in left_out.most_common()]
    return lines


def _tell_failed(recognised: Sequence[Recognised]) -> int:
    failed = [each for each in recognised if each.failed]
    for each in failed[:SHOWN]:
        sys.stderr.write(f"not recognised: {each.recording.id}: {each.reason}\n")
    if failed:
        sys.stderr.write(f"{len(failed)} of {len(recognised)} failed; the table has the reasons.\n")
    return 1 if failed else 0
