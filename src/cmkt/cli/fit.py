"""Train an enhancer, plain or with linguistic transfer.

This is Lightning's command line: `--config` files that overlay each other, every setting as an option,
`--print_config`, and `--ckpt_path` to resume.
"""

from __future__ import annotations

from collections.abc import Sequence

from cmkt.errors import MissingExtraError, extra_hint

SUMMARY = "train an enhancer, plain or with linguistic transfer"


def run_arguments(arguments: Sequence[str]) -> int:
    """Runs `cmkt fit` with these arguments; gives the exit status, 130 when it was interrupted."""
    try:
        from cmkt.training.fit import fit
    except ModuleNotFoundError as error:
        package = (error.name or "lightning").partition(".")[0]
        if package == "cmkt":
            raise
        raise MissingExtraError(extra_hint(package, "train")) from error
    return fit(arguments)
