"""Which characters and words a model takes for alike: nearest neighbours, to look at."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn import functional

from cmkt.text.language.tokenizer import BEGIN_ID, END_ID, SPECIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from cmkt.text.language.sequences import Sequences

CANDIDATES: Final = 2000
SHOWN: Final = 6
FEWEST: Final = 20
READ_LINES: Final = 50_000
GAP: Final = "\n"
"""Where a character is none that is known: part of no word."""


def character_neighbours(model: nn.Module, vocabulary: Sequence[str], asked: Sequence[str]) -> dict[str, list[str]]:
    """For each character that has a token, the nearest by the cosine of their rows in the model's table."""
    table: Tensor = model.get_input_embeddings().weight.detach().float()  # type: ignore[operator]
    known = list(vocabulary[: CANDIDATES + len(SPECIAL)])[len(SPECIAL) :]
    rows = table[len(SPECIAL) : len(SPECIAL) + len(known)]
    return _nearest(rows, known, [each for each in asked if each in known])


def word_neighbours(
    encoder: nn.Module, vocabulary: Sequence[str], words: Sequence[str], asked: Sequence[str]
) -> dict[str, list[str]]:
    """For each word of known characters, the nearest of `words` by the cosine of their mean last hidden states."""
    spellable = set(vocabulary)
    asked = [word for word in asked if set(word) <= spellable]
    known = list(dict.fromkeys([*asked, *words]))
    return _nearest(torch.stack([_mean_state(encoder, vocabulary, word) for word in known]), known, asked)


def frequent_words(sequences: Sequences, vocabulary: Sequence[str], *, most: int = CANDIDATES) -> list[str]:
    """The most frequent words of a script with spaces; of one without, pairs of characters that are drawn together.

    A pair counts where it occurs five times as often as its characters would meet by chance.
    """
    characters = [*GAP * len(SPECIAL), *vocabulary[len(SPECIAL) :]]
    lines = [
        "".join(characters[token] for token in sequences[index][1:-1])
        for index in range(min(len(sequences), READ_LINES))
    ]
    if sum(line.count(" ") for line in lines) > sum(map(len, lines)) / 20:
        spaced = Counter(word for line in lines for word in line.split() if len(word) > 3 and word.isalpha())
        return [word for word, count in spaced.most_common(most) if count >= FEWEST]
    single = Counter(each for line in lines for each in line)
    pairs = Counter(line[place : place + 2] for line in lines for place in range(len(line) - 1))
    drawn = [
        pair
        for pair, count in pairs.most_common(5 * most)
        if count >= FEWEST and pair.isalpha() and count * single.total() > 5 * single[pair[0]] * single[pair[1]]
    ]
    return drawn[:most]


def _mean_state(encoder: nn.Module, vocabulary: Sequence[str], word: str) -> Tensor:
    model: Any = encoder
    place = {token: number for number, token in enumerate(vocabulary)}
    ids = [BEGIN_ID, *(place[each] for each in word if each in place), END_ID]
    with torch.inference_mode():
        states: Tensor = model.model(input_ids=torch.tensor([ids])).last_hidden_state[0, 1:-1]
    return states.float().mean(0)


def _nearest(rows: Tensor, names: Sequence[str], asked: Sequence[str]) -> dict[str, list[str]]:
    units = functional.normalize(rows - rows.mean(0), dim=-1)
    found: dict[str, list[str]] = {}
    for name in asked:
        order = (units @ units[names.index(name)]).argsort(descending=True).tolist()
        found[name] = [names[place] for place in order if names[place] != name][:SHOWN]
    return found
