from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.write import write_audio
from cmkt.data.cache import read_cut
from cmkt.data.manifest import load_prepared, write_prepared
from cmkt.data.report import Report
from cmkt.data.testset import TestMixtures
from cmkt.errors import AudioFileError, DataError
from cmkt.evaluation.recordings import AudioFiles, PreparedSpeech, Recording

RATE = 16_000


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "a").mkdir()
    write_audio(tmp_path / "a" / "one.wav", 0.1 * rng.standard_normal((2, 8_000)), 8_000, subtype="FLOAT")
    write_audio(tmp_path / "two.flac", 0.1 * rng.standard_normal(RATE), RATE)
    (tmp_path / "two.txt").write_text(" The second. \n")
    return tmp_path


def test_files_have_their_path_below_the_folder_for_an_id_and_the_text_beside_them(files: Path) -> None:
    recordings = AudioFiles.find([files])
    assert recordings.listed() == (
        Recording("a/one.wav", path=(files / "a/one.wav").resolve()),
        Recording("two.flac", "The second.", path=(files / "two.flac").resolve()),
    )


def test_channels_are_averaged_and_the_rate_is_that_of_the_file(files: Path) -> None:
    audio, rate = AudioFiles.find([files]).audio(0)
    assert (audio.shape, rate) == ((8_000,), 8_000)
    sides = np.random.default_rng(0).standard_normal((2, 8_000))
    np.testing.assert_allclose(audio, 0.05 * sides.sum(axis=0), atol=1e-7)


def test_files_that_are_absent_or_have_one_id_are_refused(files: Path) -> None:
    with pytest.raises(AudioFileError, match="does not exist"):
        AudioFiles.find([files / "absent.wav"])
    (files / "b").mkdir()
    write_audio(files / "b" / "one.wav", np.ones(100), RATE)
    with pytest.raises(AudioFileError, match="different names"):
        AudioFiles.find([files / "a", files / "b"])


def test_the_utterances_of_a_prepared_folder_come_as_they_are(prepared: Path) -> None:
    speech = PreparedSpeech(prepared)
    cuts = list(load_prepared(prepared).speech)
    assert [each.id for each in speech.listed()] == [cut.id for cut in cuts]
    assert speech.listed()[0] == Recording(cuts[0].id, "words long spoken", "en")
    audio, rate = speech.audio(1)
    np.testing.assert_array_equal(audio, read_cut(cuts[1], rate))


def test_mixed_with_noise_they_are_the_mixtures_of_an_evaluation(prepared: Path) -> None:
    mixtures = TestMixtures(load_prepared(prepared), snrs_db=[0.0, 5.0], sample_rate=RATE, seed=3)
    for copy in (PreparedSpeech(prepared, 5.0, 3), pickle.loads(pickle.dumps(PreparedSpeech(prepared, 5.0, 3)))):
        audio, rate = copy.audio(2)
        np.testing.assert_array_equal(audio, mixtures[5].noisy)
        assert rate == RATE


def test_a_text_that_was_recognised_is_no_transcript(prepared: Path, tmp_path: Path) -> None:
    cuts = list(load_prepared(prepared).speech)
    cuts[0].custom = {**(cuts[0].custom or {}), "transcriber": "somebody"}
    write_prepared(tmp_path / "heard", speech=cuts, noise=[], rir=[], report=Report())
    assert [each.transcript is None for each in PreparedSpeech(tmp_path / "heard").listed()] == [True, False, False]


def test_a_folder_without_noise_cannot_be_mixed_and_ids_must_not_repeat(prepared: Path, tmp_path: Path) -> None:
    cuts = list(load_prepared(prepared).speech)
    write_prepared(tmp_path / "quiet", speech=cuts, noise=[], rir=[], report=Report())
    with pytest.raises(DataError, match="noise"):
        PreparedSpeech(tmp_path / "quiet", 5.0).listed()
    with pytest.raises(DataError, match="must be a prepared folder"):
        PreparedSpeech(tmp_path / "absent").listed()
