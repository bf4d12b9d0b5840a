"""A tokenizer of single characters, for text in any script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from cmkt.errors import MissingExtraError, extra_hint

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, UNKNOWN, BEGIN, END, MASK = "[PAD]", "[UNK]", "[BOS]", "[EOS]", "[MASK]"
SPECIAL: Final = (PAD, UNKNOWN, BEGIN, END, MASK)
"""Their numbers are their places here, 0 to 4."""
PAD_ID, UNKNOWN_ID, BEGIN_ID, END_ID, MASK_ID = range(len(SPECIAL))


def character_vocabulary(lines: Iterable[str], *, min_count: int) -> list[str]:
    """The special tokens, then every character that occurs `min_count` times or more, the most frequent first."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(line)
    frequent = [character for character, count in counts.items() if count >= min_count]
    return [*SPECIAL, *sorted(frequent, key=lambda each: (-counts[each], each))]


def character_tokenizer(vocabulary: list[str], *, max_tokens: int) -> PreTrainedTokenizerFast:
    """A tokenizer of `transformers`: NFKC, lower case, no space beside Hanzi, one token a character, [BOS] and [EOS]
    around.

    Raises: MissingExtraError without transformers.
    """
    try:
        from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
        from transformers import PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtraError(extra_hint("transformers", "train")) from error
    tokenizer = Tokenizer(models.WordLevel({token: place for place, token in enumerate(vocabulary)}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
            normalizers.Replace(Regex(r"(?<=[\x{3400}-\x{9fff}]) | (?=[\x{3400}-\x{9fff}])"), ""),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"."), behavior="isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}", special_tokens=[(BEGIN, BEGIN_ID), (END, END_ID)]
    )
    wrapped: Any = PreTrainedTokenizerFast
    names = {"pad_token": PAD, "unk_token": UNKNOWN, "bos_token": BEGIN, "eos_token": END, "mask_token": MASK}
    result: PreTrainedTokenizerFast = wrapped(tokenizer_object=tokenizer, model_max_length=max_tokens, **names)
    return result
