"""Make a fixed test set that can be shared, or a pair list of recordings that somebody else mixed.

--data mixes every utterance of a prepared folder with noise of that folder at every SNR. OUTPUT gets noisy/ and clean/,
list.jsonl with every parameter of each mixture, recipe.json, and README.md with credits. The same data and options make
the same bytes; a run that was stopped goes on. Without --reverb these are the mixtures of `cmkt evaluate --data`.

--noisy writes OUTPUT, a list that `cmkt evaluate --pairs` reads, for recordings that exist. The clean files of --clean
have the same names, below the same subfolders. Without --clean, --noisy may be the folder of VoiceBank+DEMAND or of a
DNS Challenge test set, or hold recordings without references. Warns of files that do not lie on their references.

  cmkt mix --data data/test --output testset --snr -5 0 5 10
  cmkt mix --noisy VoiceBank-DEMAND --output voicebank.jsonl
  cmkt mix --noisy theirs/noisy --clean theirs/clean --transcripts theirs/text.csv --output theirs/list.jsonl
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cmkt.data.pairs import Pair

SUMMARY = "make a fixed test set, or a list of one that exists"
OF_DATA = ("snr", "limit", "seed", "sample_rate", "reverb", "format", "jobs")
OF_FOLDERS = ("clean", "transcripts", "layout")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt mix`."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="DIR", help="a prepared folder with noise, to be mixed")
    source.add_argument("--noisy", type=Path, metavar="DIR", help="recordings that exist, to be listed")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="PATH", help="the folder to write, or the list where --noisy"
    )
    made = parser.add_argument_group("with --data")
    made.add_argument("--snr", type=float, nargs="+", metavar="DB", help="SNRs in dB (-5 0 5 10)")
    made.add_argument("--limit", type=int, metavar="N", help="only N utterances, chosen by the hash of their ids")
    made.add_argument("--seed", type=int, help="of the mixtures (0)")
    made.add_argument("--sample-rate", type=int, metavar="HZ", help="of the files (16000)")
    made.add_argument(
        "--reverb", type=float, metavar="P", help="share of utterances that are played in a room of DIR (0)"
    )
    made.add_argument("--format", metavar="F", help="wav or flac of 16 bits, or float: WAV without rounding (wav)")
    made.add_argument("--jobs", type=int, metavar="N", help="processes; 0: in this one (default: one a core)")
    listed = parser.add_argument_group("with --noisy")
    listed.add_argument("--clean", type=Path, metavar="DIR", help="their references")
    listed.add_argument(
        "--transcripts",
        type=Path,
        metavar="PATH",
        help="CSV or TSV with the columns file and text, or a folder of .txt files (default: .txt beside the audio)",
    )
    listed.add_argument(
        "--layout", metavar="NAME", help="voicebank_demand, dns, list or folders (default: as it looks)"
    )


def run(args: argparse.Namespace) -> int:
    """Writes the set or the list and says what is in it."""
    made = args.data is not None
    for name in OF_FOLDERS if made else OF_DATA:
        if getattr(args, name) is not None:
            option, belongs = name.replace("_", "-"), "--noisy" if made else "--data"
            raise ConfigError(f"--{option} belongs to {belongs}, which is not given. Leave it out.")
    pairs = _mixed(args) if made else _listed(args)
    sys.stdout.write(f"{args.output}: {_described(pairs)}\n")
    return 0


def _mixed(args: argparse.Namespace) -> list[Pair]:
    from cmkt.evaluation.mix_recipe import MixRecipe
    from cmkt.evaluation.mix_set import write_mixtures
    from cmkt.evaluation.pool import usable_cores

    asked = {
        "snrs_db": None if args.snr is None else tuple(args.snr),
        "seed": args.seed,
        "sample_rate": args.sample_rate,
        "limit": args.limit,
        "reverb_probability": args.reverb,
    }
    recipe = MixRecipe(**{name: value for name, value in asked.items() if value is not None})
    jobs = usable_cores() if args.jobs is None else args.jobs
    return write_mixtures(args.data, args.output, recipe, format=args.format or "wav", jobs=jobs)


def _listed(args: argparse.Namespace) -> list[Pair]:
    from cmkt.data.pair_folders import find_pairs
    from cmkt.data.pairs import write_pairs

    if args.output.suffix != ".jsonl":
        raise ConfigError(f"--output must name a list that ends in .jsonl where --noisy is given, not {args.output}.")
    pairs = find_pairs(args.noisy, args.clean, transcripts=args.transcripts, layout=args.layout or "auto")
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_pairs(args.output, pairs)
    for warning in _warnings(pairs):
        sys.stderr.write(f"warning: {warning}\n")
    return pairs


def _warnings(pairs: Sequence[Pair]) -> Iterator[str]:
    from cmkt.data.pair_audio import TOLERANCE_SECONDS, unequal_lengths
    from cmkt.evaluation.reference_check import check_noisy

    if unequal := unequal_lengths(pairs):
        names = ", ".join(pair.id for pair in unequal[:5]) + ", ..." * (len(unequal) > 5)
        yield (
            f"{len(unequal)} of {len(pairs)} recordings differ in length from their references by more than "
            f"{1000 * TOLERANCE_SECONDS:g} ms and will have no scores against them: {names}"
        )
    yield from (f"noisy files: {misfit}" for misfit in check_noisy(pairs))


def _described(pairs: Sequence[Pair]) -> str:
    snrs_db = sorted({pair.snr_db for pair in pairs if pair.snr_db is not None})
    counts = [
        f"{len(pairs)} recordings of {len({pair.id for pair in pairs})} utterances",
        f"{sum(pair.clean is not None for pair in pairs)} with a reference",
        f"{sum(pair.text is not None for pair in pairs)} with a transcript",
    ]
    if snrs_db:
        counts.append(f"SNR {', '.join(f'{snr_db:g}' for snr_db in snrs_db[:10])}{', ...' * (len(snrs_db) > 10)} dB")
    return ", ".join(counts)
