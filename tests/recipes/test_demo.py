import dataclasses
import json
from itertools import combinations
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile
from lhotse import CutSet

from cmkt.data.manifest import load_prepared
from cmkt.errors import ConfigError
from cmkt.recipes.demo import BABBLE_VARIANTS, SAMPLE_RATE, VARIANTS, DemoCorpus, Split, prepare_demo
from cmkt.recipes.espeak import espeak

SMALL = DemoCorpus(train=6, dev=2, test=3, noise_recordings=1, noise_seconds=2.0)
SPLITS: tuple[Split, ...] = get_args(Split)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo") / "corpus"
    assert prepare_demo(directory, SMALL)
    return directory


def test_every_split_is_a_prepared_folder_with_text_and_noise(corpus: Path) -> None:
    for split, count in zip(SPLITS, (6, 2, 3), strict=True):
        prepared = load_prepared(corpus / split)
        assert len(prepared.speech) == count
        assert prepared.noise is not None
        for cut in prepared.speech:
            assert cut.sampling_rate == SAMPLE_RATE
            assert cut.supervisions[0].text
            assert cut.supervisions[0].speaker in SMALL.voices(split)


def test_nothing_was_dropped(corpus: Path) -> None:
    for split in SPLITS:
        report = json.loads((corpus / split / "report.json").read_text())
        assert not report["speech"]["dropped"]
        assert not report["noise"]["dropped"]


def test_audio_is_mono_finite_and_not_clipped(corpus: Path) -> None:
    files = sorted(corpus.rglob("*.flac"))
    assert len(files) == 6 + 2 + 3 + 5 + 5 + 4
    for path in files:
        audio, sample_rate = soundfile.read(path)
        assert sample_rate == SAMPLE_RATE
        assert audio.ndim == 1
        assert 0.01 < np.abs(audio).max() < 1.0


def test_a_sentence_a_voice_and_a_noise_belong_to_one_split_only(corpus: Path) -> None:
    def of(split: Split) -> tuple[set[str], set[str], set[str]]:
        prepared = load_prepared(corpus / split)
        assert isinstance(prepared.noise, CutSet)
        spoken = [cut.supervisions[0] for cut in prepared.speech]
        return {one.text for one in spoken}, {one.speaker for one in spoken}, {cut.id for cut in prepared.noise}

    for one, other in combinations(SPLITS, 2):
        for ours, theirs in zip(of(one), of(other), strict=True):
            assert not ours & theirs


def test_kinds_of_noise_of_the_test_set_are_not_in_training(corpus: Path) -> None:
    def classes(split: Split) -> set[str]:
        noise = load_prepared(corpus / split).noise
        assert noise is not None
        return {cut.custom["class"] for cut in noise}

    assert classes("train") == classes("dev")
    assert not classes("train") & classes("test")


def test_no_variant_speaks_in_two_splits_and_the_crowd_of_the_test_speaks_nowhere_else() -> None:
    spoken: list[set[str]] = [set(VARIANTS[split].split()) for split in SPLITS]
    everyone: set[str] = set().union(*spoken)
    assert len(everyone) == sum(map(len, spoken))
    assert not set(BABBLE_VARIANTS["test"].split()) & everyone


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_synthesiser_knows_every_voice(language: str) -> None:
    corpus = DemoCorpus(language=language)
    text = {"en": "Yes.", "zh": "好。"}[language]
    for split in SPLITS:
        for voice in (*corpus.voices(split), *corpus.babble_voices(split)):
            assert espeak().synthesise(text, voice=voice).size > 0


def test_the_defaults_give_about_half_an_hour() -> None:
    words, words_per_minute, pauses_seconds = 12, 165, 0.5
    minutes = DemoCorpus().train * (words / words_per_minute + pauses_seconds / 60)
    assert 25 < minutes < 60


def test_a_second_call_keeps_the_corpus(corpus: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in corpus.rglob("*.flac")}
    assert not prepare_demo(corpus, SMALL)
    assert before == {path: path.stat().st_mtime_ns for path in corpus.rglob("*.flac")}


def test_a_folder_with_another_corpus_is_an_error_that_names_the_difference(corpus: Path) -> None:
    with pytest.raises(ConfigError, match="seed 0, not 7"):
        prepare_demo(corpus, dataclasses.replace(SMALL, seed=7))


def test_mandarin_speech_has_hanzi_transcripts(tmp_path: Path) -> None:
    prepare_demo(tmp_path, dataclasses.replace(SMALL, language="zh", train=2, dev=1, test=1))
    for cut in load_prepared(tmp_path / "train").speech:
        assert cut.supervisions[0].speaker.startswith("cmn+")
        assert cut.supervisions[0].language == "zh"
        assert "一" <= cut.supervisions[0].text[0] <= "鿿"


@pytest.mark.parametrize("settings", [{"language": "fr"}, {"train": 0}, {"noise_seconds": 0.0}])
def test_settings_that_cannot_work_are_an_error(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"`{next(iter(settings))}` must be"):
        DemoCorpus(**settings)  # type: ignore[arg-type]
