"""The text that goes with a set: its command, and credit for what is really in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.write import write_audio
from cmkt.data.entry import Entry
from cmkt.data.manifest import Prepared, load_prepared
from cmkt.data.pairs import Pair
from cmkt.data.preparation import prepare
from cmkt.evaluation.mix_readme import readme
from cmkt.evaluation.mix_recipe import MixRecipe


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    """Two utterances and two noises; only some say where they are from."""
    known = {"corpus": "one", "licence": "CC BY | 4.0", "source": "example.org"}
    audio = (0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)
    entries = {}
    for kind, names in (("speech", ("a", "b")), ("noise", ("hiss", "hum"))):
        for name in names:
            write_audio(tmp_path / f"{name}.wav", audio, 16_000)
        customs: tuple[dict[str, object], ...] = ({**known}, {})
        entries[kind] = [
            Entry(name, tmp_path / f"{name}.wav", custom=own) for name, own in zip(names, customs, strict=True)
        ]
    prepare(entries, tmp_path / "prepared", workers=1)  # type: ignore[arg-type]
    return load_prepared(tmp_path / "prepared")


def pair(name: str, **about: object) -> Pair:
    return Pair(name, Path("noisy/x.wav"), Path("clean/x.wav"), None, 0.0, about)


def test_what_is_used_is_credited_and_what_is_not_known_is_said(prepared: Prepared, tmp_path: Path) -> None:
    text = readme(prepared, [pair("a", noise_ids=["hum"]), pair("b", noise_ids=["hum"])], MixRecipe(), format="wav")
    assert text.splitlines()[-3:] == [
        "| speech |  | 1 | not stated: ask before you pass it on |  |",
        "| speech | one | 1 | CC BY / 4.0 | example.org |",
        "| noise |  | 1 | not stated: ask before you pass it on |  |",
    ]
    assert str(tmp_path) not in text


def test_the_command_that_made_it_is_told_with_its_options(prepared: Prepared) -> None:
    recipe = MixRecipe((-2.5, 5.0), seed=3, sample_rate=8_000, limit=7, reverb_probability=0.25)
    text = readme(prepared, [pair("a")], recipe, format="flac")
    assert "--snr -2.5 5 --seed 3 --sample-rate 8000 --format flac --limit 7 --reverb 0.25`" in text
    assert "1 mixtures: 1 utterances at 2 " in text
