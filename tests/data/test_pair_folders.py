"""Each layout is recognised, or taken when it is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmkt.data.pair_folders import find_pairs
from cmkt.data.pairs import Pair, write_pairs
from cmkt.errors import AudioFileError, ConfigError, DataError
from tests.data.conftest import Wav

SOUND = np.full(160, 0.1)


@pytest.fixture
def voicebank(wav: Wav, tmp_path: Path) -> Path:
    """Two files of VoiceBank+DEMAND, the second without text and log."""
    for stem in ("p232_001", "p257_002"):
        wav(f"noisy_testset_wav/{stem}.wav", SOUND)
        wav(f"clean_testset_wav/{stem}.wav", SOUND)
    (tmp_path / "testset_txt").mkdir()
    (tmp_path / "testset_txt/p232_001.txt").write_text("Please call Stella.\n")
    (tmp_path / "log_testset.txt").write_text("p232_001 cafe 2.5\n")
    return tmp_path


def test_voicebank_demand_comes_with_texts_noises_snrs_and_speakers(voicebank: Path) -> None:
    known = {"language": "en", "corpus": "VoiceBank+DEMAND"}
    noisy, clean = voicebank / "noisy_testset_wav", voicebank / "clean_testset_wav"
    assert find_pairs(voicebank) == [
        Pair(
            id="p232_001",
            noisy=noisy / "p232_001.wav",
            clean=clean / "p232_001.wav",
            text="Please call Stella.",
            snr_db=2.5,
            about={"speaker": "p232", **known, "noise_classes": ["cafe"]},
        ),
        Pair("p257_002", noisy / "p257_002.wav", clean / "p257_002.wav", about={"speaker": "p257", **known}),
    ]


def test_voicebank_demand_needs_neither_texts_nor_log(voicebank: Path) -> None:
    (voicebank / "log_testset.txt").unlink()
    (voicebank / "testset_txt/p232_001.txt").unlink()
    (voicebank / "testset_txt").rmdir()
    assert [(pair.text, pair.snr_db) for pair in find_pairs(voicebank, layout="voicebank_demand")] == 2 * [(None, None)]


def test_the_two_folders_of_a_corpus_may_be_named_themselves(voicebank: Path) -> None:
    pairs = find_pairs(
        voicebank / "noisy_testset_wav", voicebank / "clean_testset_wav", transcripts=voicebank / "testset_txt"
    )
    assert [(pair.id, pair.text) for pair in pairs] == [("p232_001", "Please call Stella."), ("p257_002", None)]


def test_dns_conditions_are_told_apart_by_id_and_room(wav: Wav, tmp_path: Path) -> None:
    for condition in ("no_reverb", "with_reverb"):
        wav(f"{condition}/noisy/x_snr5_tl-25_fileid_7.wav", SOUND)
        wav(f"{condition}/clean/clean_fileid_7.wav", SOUND)
    dry, reverberant = find_pairs(tmp_path)
    assert (dry.id, dry.snr_db) == ("no_reverb/x_snr5_tl-25_fileid_7", 5.0)
    assert dry.clean == tmp_path / "no_reverb/clean/clean_fileid_7.wav"
    assert "rir_id" not in dry.about
    assert reverberant.about["rir_id"] == "with_reverb"
    assert [pair.id for pair in find_pairs(tmp_path / "no_reverb")] == ["x_snr5_tl-25_fileid_7"]


def test_a_list_in_the_folder_goes_before_its_folders(wav: Wav, tmp_path: Path) -> None:
    noisy, clean = wav("noisy/a_5dB.wav", SOUND), wav("clean/a_5dB.wav", SOUND)
    assert [pair.id for pair in find_pairs(tmp_path)] == ["a_5dB"]
    listed = [Pair("a", noisy, clean, "a text", 5.0, {"speaker": "s"})]
    write_pairs(tmp_path / "list.jsonl", listed)
    assert find_pairs(tmp_path) == listed
    assert [pair.id for pair in find_pairs(tmp_path, layout="dns")] == ["a_5dB"]
    with pytest.raises(ConfigError, match="`transcripts` must be left out"):
        find_pairs(tmp_path, transcripts=tmp_path)


def test_any_other_folder_holds_recordings_without_references(wav: Wav, tmp_path: Path) -> None:
    wav("a.wav", SOUND)
    wav("noisy/b.wav", SOUND)
    assert [(pair.id, pair.clean) for pair in find_pairs(tmp_path)] == [("a", None), ("noisy/b", None)]


@pytest.mark.parametrize("layout", ["voicebank_demand", "dns", "list"])
def test_a_layout_that_is_named_must_be_there(wav: Wav, tmp_path: Path, layout: str) -> None:
    wav("a.wav", SOUND)
    with pytest.raises(DataError, match="must"):
        find_pairs(tmp_path, layout=layout)


def test_wrong_arguments_and_empty_folders_are_refused(wav: Wav, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`layout` must be auto or one of list, voicebank_demand, dns, folders"):
        find_pairs(tmp_path, layout="other")
    with pytest.raises(ConfigError, match="`layout` must be folders where `clean` is given"):
        find_pairs(tmp_path, tmp_path, layout="dns")
    with pytest.raises(AudioFileError, match="holds none"):
        find_pairs(tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        find_pairs(tmp_path / "nowhere")


def test_files_of_folders_are_checked_too(wav: Wav, tmp_path: Path) -> None:
    wav("noisy/a.wav", SOUND)
    wav("clean/a.wav", SOUND, rate=8_000)
    with pytest.raises(DataError, match="of a must have the same sample rate"):
        find_pairs(tmp_path / "noisy", tmp_path / "clean")
