"""From text files to numbered lines: cleaned, split and kept, so that a run that goes on reads them at once."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from cmkt.audio.write import atomic_path, write_text
from cmkt.errors import DataError
from cmkt.text.language.lines import LINES_VERSION, Lines, letters_of, main_script, prepare_lines
from cmkt.text.language.sequences import MOST_TOKENS, Sequences, numbered
from cmkt.text.language.tokenizer import character_vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.training.language_model.settings import Settings

BLOCK_LINES: Final = 50
"""Neighbouring lines are mostly of one document, so lines are held out by the block."""

FEWEST_LINES: Final = 100
_OPENERS: Final[dict[str, Callable[..., IO[str]]]] = {".xz": lzma.open, ".gz": gzip.open}


@dataclass(frozen=True, slots=True)
class Corpus:
    """vocabulary: of characters; train, held_out: the lines; spoken: (L,) bool, which held-out lines are written as
    transcripts are; facts: what was read and dropped."""

    vocabulary: list[str]
    train: Sequences
    held_out: Sequences
    spoken: NDArray[np.bool_]
    facts: dict[str, Any]

    @property
    def held_out_spoken(self) -> Sequences:
        """The held-out lines that are written as transcripts are."""
        return self.held_out.chosen(np.flatnonzero(self.spoken))


def load_corpus(text: Sequence[Path], held_out: Sequence[Path], *, output: Path, settings: Settings) -> Corpus:
    """The corpus of these files, one line of text a line, plain or as .xz or .gz; kept in `output` for the next time.

    Raises: DataError for a file that cannot be read or holds too little, or is not the one of the last time.
    """
    digest = _digest([*text, *held_out])
    folder = output / "text"
    if (folder / "facts.json").is_file():
        corpus = _read(folder)
        if corpus.facts["digest"] != digest:
            raise DataError(f"the text files must be those of the run in {output}, but were changed. Use a new folder.")
        return corpus
    corpus = _make(text, held_out, settings, digest)
    _write(corpus, folder)
    return corpus


def read_lines(path: Path) -> list[str]:
    """The lines of a text file in UTF-8, plain, .xz or .gz.

    Raises: DataError where it cannot be read.
    """
    opener = _OPENERS.get(path.suffix, open)
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            text: str = file.read()
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise DataError(f"{path} must be a text file in UTF-8, plain or as .xz or .gz, but: {error}") from error
    return text.split("\n")


def _make(text: Sequence[Path], held_out: Sequence[Path], settings: Settings, digest: str) -> Corpus:
    train = [line for path in text for line in read_lines(path)]
    unseen = [line for path in held_out for line in read_lines(path)]
    if not held_out:
        train, unseen = split_blocks(train, share=settings.held_out_share, seed=settings.seed)
    script = main_script(train[:: max(1, len(train) // 2000)])
    clean = [
        prepare_lines(lines, script=script, max_characters=settings.max_tokens - 2, seed=settings.seed)
        for lines in (train, unseen)
    ]
    clean[1] = _without(clean[1], {letters_of(line) for line in clean[0].kept})
    for name, lines in zip(("text", "held-out text"), clean, strict=True):
        if len(lines.kept) < FEWEST_LINES:
            raise DataError(
                f"the {name} must hold {FEWEST_LINES} lines or more in its main script, {script}, but holds "
                f"{len(lines.kept)}; dropped: {lines.dropped or 'none'}."
            )
    vocabulary = character_vocabulary(clean[0].kept, min_count=settings.min_count)
    if len(vocabulary) > MOST_TOKENS:
        raise DataError(f"the text must have fewer than {MOST_TOKENS} characters, but has {len(vocabulary)}.")
    facts = {
        "digest": digest,
        "script": script,
        "files": [path.name for path in text],
        "held_out_files": [path.name for path in held_out],
        "dropped": clean[0].dropped,
        "held_out_dropped": clean[1].dropped,
    }
    train_ids, held_out_ids = (numbered(lines.kept, vocabulary) for lines in clean)
    return Corpus(vocabulary, train_ids, held_out_ids, np.array(clean[1].spoken), facts)


def split_blocks(lines: list[str], *, share: float, seed: int) -> tuple[list[str], list[str]]:
    """The lines without, and those of, a share of blocks of neighbouring lines, drawn by (seed, block)."""
    parts: tuple[list[str], list[str]] = ([], [])
    for start in range(0, len(lines), BLOCK_LINES):
        draw = np.random.default_rng([seed, start // BLOCK_LINES]).random()
        parts[draw < share].extend(lines[start : start + BLOCK_LINES])
    return parts


def _without(lines: Lines, seen: set[str]) -> Lines:
    """Held-out lines that say nothing that a training line says."""
    new = [letters_of(line) not in seen for line in lines.kept]
    dropped = lines.dropped | {"in the training text": new.count(False)}
    pairs = [pair for pair, is_new in zip(zip(lines.kept, lines.spoken, strict=True), new, strict=True) if is_new]
    return Lines([line for line, _ in pairs], [spoken for _, spoken in pairs], dropped)


def _digest(paths: Sequence[Path]) -> str:
    digest = hashlib.blake2b(str(LINES_VERSION).encode(), digest_size=8)
    for path in paths:
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise DataError(f"{path} must be a text file, but cannot be read: {error}") from error
    return digest.hexdigest()


def _write(corpus: Corpus, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / "lines.npz") as temporary:
        np.savez(
            temporary,
            train=corpus.train.ids,
            train_starts=corpus.train.starts,
            held_out=corpus.held_out.ids,
            held_out_starts=corpus.held_out.starts,
            spoken=corpus.spoken,
        )
    write_text(folder / "vocabulary.json", json.dumps(corpus.vocabulary, ensure_ascii=False))
    write_text(folder / "facts.json", json.dumps(corpus.facts, ensure_ascii=False, indent=2))


def _read(folder: Path) -> Corpus:
    with np.load(folder / "lines.npz") as stored:
        return Corpus(
            vocabulary=json.loads((folder / "vocabulary.json").read_text(encoding="utf-8")),
            train=Sequences(stored["train"], stored["train_starts"]),
            held_out=Sequences(stored["held_out"], stored["held_out_starts"]),
            spoken=stored["spoken"],
            facts=json.loads((folder / "facts.json").read_text(encoding="utf-8")),
        )
