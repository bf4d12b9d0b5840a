"""Train an enhancer, plain or with linguistic transfer.

This is Lightning's command line: `--config` files that overlay each other, every setting as an option,
`--print_config`, and `--ckpt_path` to resume.
"""

from __future__ import annotations

from collections.abc import Sequence

SUMMARY = "train an enhancer, plain or with linguistic transfer"


def run_arguments(arguments: Sequence[str]) -> int:
    """Runs `cmkt fit` with these arguments; gives the exit status, 130 when it was interrupted."""
    from cmkt.training.fit import fit

    return fit(arguments)
