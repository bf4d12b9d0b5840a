"""The `cmkt` command: one file per subcommand, imported only when it is called."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from cmkt.errors import CmktError, extra_hint

NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}
"""A full disk, and places that may not be read or written."""

COMMANDS = {
    "demo": "demo",
    "prepare": "train",
    "transcribe": "asr,eval",
    "train-lm": "train",
    "embed": "train,embedded",
    "fit": "train,embedded",
    "evaluate": "eval,torch",
    "mix": "eval,torch",
    "compare": "eval",
    "report": "report",
    "probe": "train,embedded",
    "maps": "train,embedded,report",
    "layers": "train",
    "models": "torch",
    "enhance": "torch",
    "average": "torch",
    "export": "export",
    "stream": "torch",
}
"""Each command with the extras that bring what it needs.

Each is a file of this folder, with _ for -, with SUMMARY and either add_arguments and run, or run_arguments.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Gives its exit status: 0 done, 1 partly or not, 2 bad input, 130 interrupted."""
    argv = list(sys.argv[1:] if argv is None else argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    # How long torch's threads (GNU OpenMP) spin while they wait for each other. By default, with one of two cores busy,
    # eight training steps were not done in 100 s, against 0.17 s each when idle; with this 0.70 s busy and 0.21 s idle.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    if argv[:1] == ["--version"]:
        import cmkt

        sys.stdout.write(f"cmkt {cmkt.__version__}\n")
        return 0
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(_overview())
        return 0 if argv else 2
    if argv[0] not in COMMANDS:
        sys.stderr.write(f"error: a command must be one of {', '.join(COMMANDS)}, but is '{argv[0]}' instead.\n")
        return 2
    try:
        return _run(argv[0], argv[1:])
    except (CmktError, ModuleNotFoundError, OSError) as error:
        sys.stderr.write(f"error: {_explained(argv[0], error)}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _explained(command: str, error: CmktError | ModuleNotFoundError | OSError) -> str:
    """What to tell about an error that the user can mend; any other is a bug and is raised again."""
    if isinstance(error, CmktError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "cmkt").partition(".")[0]
        if package != "cmkt":
            return extra_hint(package, COMMANDS[command])
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"There must be room on the disk, but there is none: {error}. Make room, then run the same command again."
        )
    elif error.errno in NOT_WRITABLE:
        return str(error)
    raise error


def _run(command: str, arguments: list[str]) -> int:
    module = _module(command)
    if hasattr(module, "run_arguments"):  # `fit` hands everything to Lightning's own command line
        return int(module.run_arguments(arguments))
    parser = argparse.ArgumentParser(
        prog=f"cmkt {command}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(arguments)))


def _module(command: str) -> ModuleType:
    return import_module(f"cmkt.cli.{command.replace('-', '_')}")


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {_module(name).SUMMARY}" for name in COMMANDS]
    return "\n".join(
        [
            "cmkt: speech enhancement that keeps the words",
            "",
            "usage: cmkt COMMAND ...",
            "",
            *lines,
            "",
            "`cmkt COMMAND --help` tells more. Start with `cmkt demo`.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
