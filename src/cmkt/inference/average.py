"""One enhancer whose weights are the mean of several, which often does better than each of them at no cost.

It takes runs that started from the same weights, such as fine-tunings with several seeds (Wortsman et al. 2022,
"Model soups"): the mean of networks that were initialised apart is worth nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.inference.card import read_card
from cmkt.inference.load import find_card, load_torch
from cmkt.inference.save import save_model


def average_saved(sources: Sequence[str], directory: Path, *, allow_foreign: bool = False) -> nn.Module:
    """Saves the mean of saved enhancers, named as for `cmkt.load`, into `directory`, and returns it in evaluation mode.

    Raises what `load_torch` and `save_model` raise; ConfigError for fewer than two sources, for classes or arguments
    that differ, and where `directory` holds an enhancer or is in the way.
    """
    _check_target(directory)
    if len(sources) < 2:
        raise ConfigError(f"An average must be of at least two models, but is of {len(sources)}. Name another.")
    cards = [read_card(find_card(source)) for source in sources]
    for source, card in zip(sources[1:], cards[1:], strict=True):
        if (card.class_path, card.init_args) != (cards[0].class_path, cards[0].init_args):
            raise ConfigError(
                f"The models must be the same network, but {sources[0]} is {cards[0].class_path} with "
                f"{dict(cards[0].init_args)} and {source} is {card.class_path} with {dict(card.init_args)}."
            )
    model = load_torch(sources[0], allow_foreign=allow_foreign).model
    others = [load_torch(source, allow_foreign=allow_foreign).model for source in sources[1:]]
    states = [each.state_dict() for each in (model, *others)]
    model.load_state_dict({name: _mean([state[name] for state in states]) for name in states[0]})
    of = [{"source": str(source), "sha256": card.sha256} for source, card in zip(sources, cards, strict=True)]
    save_model(
        model,
        directory,
        class_path=cards[0].class_path,
        init_args=cards[0].init_args,
        sample_rate=cards[0].sample_rate,
        extra={"average_of": of},
    )
    return model


def _check_target(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigError(f"`output` must be a new or an empty folder, but {directory} is not. Name another one.")


def _mean(tensors: list[Tensor]) -> Tensor:
    """Counters, which are integers, are those of the first."""
    if not tensors[0].is_floating_point() and not tensors[0].is_complex():
        return tensors[0]
    return torch.stack(tensors).mean(dim=0)
