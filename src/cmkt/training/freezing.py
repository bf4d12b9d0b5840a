"""Parts of a model that fine-tuning leaves as they are."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from cmkt.errors import ConfigError


def freeze(model: nn.Module, patterns: Sequence[str]) -> list[nn.Module]:
    """The submodules that `patterns` name, in evaluation mode, with their parameters frozen. They are to stay so.

    A pattern is a name of `model.named_modules()`, with * and ? as in file names: "encoder.*" is all stages.
    Raises ConfigError for a pattern that names nothing, with the nearest names, or when nothing is left to train.
    """
    modules = {name: module for name, module in model.named_modules() if name}
    frozen: list[nn.Module] = []
    for pattern in patterns:
        matching = [module for name, module in modules.items() if fnmatchcase(name, pattern)]
        if not matching:
            near = difflib.get_close_matches(pattern, modules, n=3, cutoff=0.4)
            hint = f" Near: {', '.join(near)}." if near else f" Its modules: {', '.join(modules)}."
            raise ConfigError(
                f"`freeze` must name modules of {type(model).__name__}, but {pattern!r} names none.{hint}"
            )
        frozen += matching
    for module in frozen:
        module.requires_grad_(False).eval()
    if frozen and not any(parameter.requires_grad for parameter in model.parameters()):
        raise ConfigError(f"`freeze` must leave something to train, but {list(patterns)} is all of the model.")
    return frozen
