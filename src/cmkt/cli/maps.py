"""Draw where the words were read: attention maps of runs that were trained with transfer.

For each run, the alignment that its checkpoint kept reads the transcripts of some utterances out of noisy speech,
mixed as in `cmkt probe`. OUTPUT/RUN/UTTERANCE.png has tokens from top to bottom and time from left to right, one panel
for each supervised layer, and the spectrogram of what was heard below. The table tells, for each map, how much time
holds most of a token's weight, and whether tokens are read in their order (1) or in any (0). A map shows where a bridge
looks, not that the frames hold the word: `cmkt probe` measures that, and draws the maps of its own bridges with --maps.

  cmkt maps runs/transfer --data data/dev --output maps
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

    from cmkt.evaluation.maps import DrawnMap

SUMMARY = "draw where the bridge of a transfer run reads each word"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt maps`."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run directories, trained with transfer")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="prepared folder with transcripts")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the pictures go")
    parser.add_argument("--utterances", type=int, default=4, metavar="N", help="so many utterances (4)")
    parser.add_argument("--snr", type=float, default=5.0, help="SNR of the mixtures in dB (5)")
    parser.add_argument("--seed", type=int, default=0, help="of mixtures and the choice of utterances (0)")
    parser.add_argument("--language", help="only utterances in this language, such as en")
    parser.add_argument(
        "--checkpoints", action="store_true", help="at every checkpoint that the run kept, not at the best alone"
    )
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load model classes from outside cmkt, which runs their code"
    )


def run(args: argparse.Namespace) -> int:
    """Draws and tells about it. Every run is opened before the first picture."""
    from cmkt.evaluation.checkpoints import kept_checkpoints
    from cmkt.evaluation.maps import draw_maps
    from cmkt.evaluation.probe import ProbeSettings, load_spoken
    from cmkt.evaluation.run_bridges import open_bridges
    from cmkt.evaluation.system_names import system_names

    check_output_folder(args.output)
    if args.utterances < 1:
        raise ConfigError(f"`--utterances` must be 1 or more, but is {args.utterances} instead.")
    settings = ProbeSettings(
        data=args.data,
        held_out=(args.data,),
        snr_db=args.snr,
        limit=args.utterances,
        language=args.language,
        seed=args.seed,
    )
    opened = {}
    for name, path in zip(system_names([str(each) for each in args.runs]), args.runs, strict=True):
        for kept in kept_checkpoints(path) if args.checkpoints else [None]:
            folder = args.output / name if kept is None else args.output / name / f"step-{kept.step}"
            opened[folder] = open_bridges(path, checkpoint=kept, allow_foreign=args.allow_foreign)
    drawn: list[DrawnMap] = []
    for folder, bridges in opened.items():
        spoken = load_spoken(args.data, settings, sample_rate=bridges[0].sample_rate, fewest=1)
        drawn += draw_maps(bridges, [spoken], folder)
    sys.stdout.write(_table(drawn))
    return 0


def _table(drawn: Sequence[DrawnMap]) -> str:
    from cmkt.evaluation.table import markdown_table

    rows = [[str(each.path), each.bridge, f"{each.width_seconds:.2f}", f"{each.order:+.2f}"] for each in drawn]
    return markdown_table(["picture", "bridge", "time of a token (s)", "order"], rows) + "\n"
