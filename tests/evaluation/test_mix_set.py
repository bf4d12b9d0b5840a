"""A set is what `cmkt evaluate` mixes, the same bytes every time, and never half there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.write import write_audio
from cmkt.data.entry import Entry
from cmkt.data.manifest import load_prepared
from cmkt.data.pair_audio import read_pair
from cmkt.data.pair_folders import find_pairs
from cmkt.data.pairs import read_pairs
from cmkt.data.preparation import prepare
from cmkt.data.testset import TestMixtures
from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.mix_recipe import MixRecipe
from cmkt.evaluation.mix_set import FORMATS, fitting_gain, write_mixtures
from tests.evaluation.conftest import RATE, voice, write_corpus

SNRS_DB = (-5.0, 5.0)
RECIPE = MixRecipe(SNRS_DB)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def evaluated(prepared: Path) -> TestMixtures:
    return TestMixtures(load_prepared(prepared), snrs_db=SNRS_DB, sample_rate=RATE)


@pytest.mark.parametrize(("format", "step"), [("wav", 2.0**-16), ("flac", 2.0**-16), ("float", 0.0)])
def test_the_set_is_what_evaluate_mixes_up_to_rounding(
    prepared: Path, tmp_path: Path, format: str, step: float
) -> None:
    pairs = write_mixtures(prepared, tmp_path / "set", RECIPE, format=format, jobs=0, progress=False)
    mixtures = list(evaluated(prepared))
    assert len(pairs) == len(mixtures) == 6
    for pair, mixture in zip(pairs, mixtures, strict=True):
        audio = read_pair(pair)
        assert audio.clean is not None
        assert (pair.id, pair.snr_db, pair.text) == (mixture.id, mixture.snr_db, mixture.metadata["text"])
        assert np.abs(audio.noisy - mixture.noisy).max() <= step
        assert np.abs(audio.clean - mixture.clean).max() <= step


def test_same_bytes_again_and_in_any_number_of_processes(prepared: Path, tmp_path: Path) -> None:
    for name, jobs in (("first", 0), ("again", 1), ("parallel", 2)):
        write_mixtures(prepared, tmp_path / name, RECIPE, format="float", jobs=jobs, progress=False)
    first = contents(tmp_path / "first")
    assert sorted(first)[:2] == ["README.md", "clean/long_-5dB.wav"]
    assert len(first) == 3 + 2 * 6
    assert contents(tmp_path / "again") == first
    assert contents(tmp_path / "parallel") == first
    write_mixtures(prepared, tmp_path / "other", MixRecipe(SNRS_DB, seed=1), format="float", jobs=0, progress=False)
    assert contents(tmp_path / "other")["noisy/long_5dB.wav"] != first["noisy/long_5dB.wav"]


def test_the_list_names_every_parameter_and_no_path_outside(prepared: Path, tmp_path: Path) -> None:
    pairs = write_mixtures(prepared, tmp_path / "set", RECIPE, jobs=0, progress=False)
    lines = (tmp_path / "set/list.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    level_db = first.pop("level_db")
    assert first.pop("speech_to_floor_db") > 0
    assert first == {
        "id": "long", "noisy": "noisy/long_-5dB.wav", "clean": "clean/long_-5dB.wav", "text": "words long spoken",
        "snr_db": -5.0, "age": 30, "corpus": "made", "speaker": "s", "language": "en", "gender": "f", "duration": 1.6,
        "noise_ids": ["hiss"], "noise_classes": ["hiss"], "seed": 0, "sample_rate": 16_000,
    }  # fmt: skip
    assert -60 < level_db <= -26
    assert str(prepared.parent) not in "".join(
        content.decode("latin-1") for content in contents(tmp_path / "set").values()
    )
    assert read_pairs(tmp_path / "set/list.jsonl") == find_pairs(tmp_path / "set") == pairs


def test_a_set_that_was_interrupted_is_finished_and_one_that_is_complete_is_read(
    prepared: Path, tmp_path: Path
) -> None:
    output = tmp_path / "set"
    write_mixtures(prepared, output, RECIPE, jobs=0, progress=False)
    whole = contents(output)
    (output / "list.jsonl").unlink()
    (output / "noisy/other_5dB.wav").unlink()
    (output / "clean/.0f.part.other_5dB.wav").write_bytes(b"RIFF")
    write_mixtures(prepared, output, RECIPE, jobs=0, progress=False)
    assert contents(output) == whole
    times = {path: path.stat().st_mtime_ns for path in output.rglob("*.wav")}
    assert len(write_mixtures(prepared, output, RECIPE, jobs=0, progress=False)) == 6
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*.wav")} == times


def test_another_recipe_or_format_does_not_mix_with_a_set_that_is_there(prepared: Path, tmp_path: Path) -> None:
    output = tmp_path / "set"
    write_mixtures(prepared, output, RECIPE, jobs=0, progress=False)
    whole = contents(output)
    with pytest.raises(ConfigError, match=r"seed was 0 and is 1\."):
        write_mixtures(prepared, output, MixRecipe(SNRS_DB, seed=1), jobs=0, progress=False)
    with pytest.raises(ConfigError, match=r"format was wav and is flac\."):
        write_mixtures(prepared, output, RECIPE, format="flac", jobs=0, progress=False)
    with pytest.raises(ConfigError, match="`format` must be one of wav, flac, float"):
        write_mixtures(prepared, output, RECIPE, format="mp3", jobs=0, progress=False)
    assert contents(output) == whole


def test_a_mixture_that_cannot_be_made_is_named_and_the_set_has_no_list(tmp_path: Path) -> None:
    entries = write_corpus(tmp_path / "audio")
    prepare({"speech": entries["speech"], "noise": entries["noise"]}, tmp_path / "prepared", workers=1)
    (tmp_path / "audio/other.wav").unlink()
    with pytest.raises(DataError, match=r"Every mixture must be made, but one cannot: .*other\.wav"):
        write_mixtures(tmp_path / "prepared", tmp_path / "set", RECIPE, jobs=0, progress=False)
    assert not (tmp_path / "set/list.jsonl").exists()


def test_rooms_are_named_and_the_reference_keeps_early_reflections(tmp_path: Path) -> None:
    room = np.zeros(8000)
    room[50], room[600], room[5000] = 0.8, 0.3, 0.2
    write_audio(tmp_path / "room.wav", room, RATE)
    entries = write_corpus(tmp_path / "audio")
    rooms = [Entry("room", tmp_path / "room.wav")]
    prepare({"speech": entries["speech"], "noise": entries["noise"], "rir": rooms}, tmp_path / "prepared", workers=1)
    recipes = {"dry": MixRecipe((5.0,)), "wet": MixRecipe((5.0,), reverb_probability=1.0)}
    dry, wet = (
        write_mixtures(tmp_path / "prepared", tmp_path / name, recipe, format="float", jobs=0, progress=False)
        for name, recipe in recipes.items()
    )
    assert [pair.about.get("rir_id") for pair in dry] == 3 * [None]
    assert [pair.about["rir_id"] for pair in wet] == 3 * ["room"]
    for first, second in zip(dry, wet, strict=True):
        assert first.about["noise_ids"] == second.about["noise_ids"]
        clean, early = read_pair(first).clean, read_pair(second).clean
        assert clean is not None
        assert early is not None
        dry_then = clean / np.abs(clean).max()
        reflected = dry_then + np.concatenate([np.zeros(550), 0.375 * dry_then[:-550]])
        assert np.corrcoef(early, reflected)[0, 1] > 0.9999


def test_a_reference_that_is_louder_than_full_scale_is_turned_down_with_its_mixture() -> None:
    noisy, clean = np.array([0.5, -0.9]), np.array([0.5, -1.25])
    highest = FORMATS["wav"].highest
    assert fitting_gain(noisy, clean, highest=highest) * 1.25 == pytest.approx(highest)
    assert fitting_gain(clean, noisy, highest=highest) * 1.25 == pytest.approx(highest)
    assert fitting_gain(noisy, clean, highest=FORMATS["float"].highest) == 1.0
    assert fitting_gain(noisy, noisy, highest=highest) == 1.0
    assert fitting_gain(noisy * 0, noisy * 0, highest=highest) == 1.0


def test_ids_of_any_form_become_files_below_the_set(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ids = ["ann/1", "../../up", "a b", "..", "语音-1", "x" * 300, "v1.2"]
    entries = write_corpus(tmp_path / "audio")
    write_audio(tmp_path / "one.wav", voice(0.5, rng), RATE)
    speech = [Entry(name, tmp_path / "one.wav") for name in ids]
    prepare({"speech": speech, "noise": entries["noise"]}, tmp_path / "prepared", workers=1)
    before = {path.name for path in tmp_path.iterdir()}
    pairs = write_mixtures(tmp_path / "prepared", tmp_path / "set", MixRecipe((0.0,)), jobs=0, progress=False)
    assert [pair.id for pair in read_pairs(tmp_path / "set/list.jsonl")] == ids
    names = [pair.noisy.relative_to(tmp_path / "set/noisy").as_posix() for pair in pairs]
    assert [names[0], names[4], names[6]] == ["ann/1_0dB.wav", "语音-1_0dB.wav", "v1.2_0dB.wav"]
    assert len(set(names)) == len(ids)
    assert {path.name for path in tmp_path.iterdir()} == before | {"set"}


@pytest.mark.corpus
def test_a_set_of_real_speech_has_the_snr_it_says(corpus: Path, tmp_path: Path) -> None:
    from cmkt.recipes.jsonl import read_list
    from cmkt.signal.level import active_level_db, rms_db

    speech = read_list(corpus / "speech.test.jsonl", part=(0.0, 0.05))
    noise = read_list(corpus / "noise.test.jsonl", part=(0.0, 0.1))
    prepare({"speech": speech, "noise": noise}, tmp_path / "prepared")
    pairs = write_mixtures(tmp_path / "prepared", tmp_path / "set", RECIPE, jobs=0, progress=False)
    for pair in pairs:
        audio = read_pair(pair)
        assert audio.clean is not None
        assert pair.snr_db == pytest.approx(
            active_level_db(audio.clean, RATE) - rms_db(audio.noisy - audio.clean), abs=0.05
        )
