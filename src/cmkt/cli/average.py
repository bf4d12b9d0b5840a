"""Average the weights of several enhancers into one, which is as fast as each and often better than all.

MODEL is a run directory, a folder with model.json, a .safetensors, or `default`. Average runs that started from the
same weights, such as `cmkt fit --init default` with several seeds, and measure the result: `cmkt evaluate --model ...`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SUMMARY = "make one enhancer of several that started from the same weights"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt average`."""
    parser.add_argument("models", metavar="MODEL", nargs="+", help="two or more saved enhancers of the same network")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new folder for the enhancer")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load a model class from outside cmkt, which runs its code"
    )


def run(args: argparse.Namespace) -> int:
    """Exit code: 0. Whatever goes wrong is an error."""
    from cmkt.inference.average import average_saved

    model = average_saved(args.models, args.output, allow_foreign=args.allow_foreign)
    sys.stdout.write(
        f"{args.output}: the mean of {len(args.models)} {type(model).__name__}. "
        f"Next: cmkt evaluate --model {' '.join(args.models)} {args.output} --data DEV --output SCORES\n"
    )
    return 0
