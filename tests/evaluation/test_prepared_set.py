from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from cmkt.data.manifest import load_prepared
from cmkt.data.preparation import prepare
from cmkt.data.testset import TestMixtures
from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.prepared_set import PreparedFolder, manifests_fingerprint
from cmkt.evaluation.record import Item, other_fields
from tests.evaluation.conftest import write_corpus


def test_it_holds_every_utterance_at_every_snr_as_mixed_on_the_fly(prepared: Path) -> None:
    held_out = PreparedFolder(prepared, (0.0, 10.0)).open(seed=3, limit=None, sample_rate=None)
    mixtures = TestMixtures(load_prepared(prepared), snrs_db=(0.0, 10.0), sample_rate=16_000, seed=3)
    assert held_out.items == tuple(Item(each.id, each.snr_db) for each in mixtures)
    mixture = held_out.mixture(3)
    assert (mixture.item, mixture.sample_rate, mixture.names) == (Item(mixtures[3].id, 10.0), 16_000, ())
    np.testing.assert_array_equal(mixture.noisy, mixtures[3].noisy)
    assert mixture.clean is not None
    np.testing.assert_array_equal(mixture.clean, mixtures[3].clean)
    assert mixture.metadata["noise_classes"] == ["hiss"]
    assert held_out.sample_rates == {16_000}
    assert all(held_out.has_reference(index) for index in range(6))


def test_transcripts_are_of_all_utterances_with_their_language(spoken: Path) -> None:
    held_out = PreparedFolder(spoken).open(seed=0, limit=1, sample_rate=None)
    assert len(held_out.items) == 4
    assert held_out.transcripts["apples"].english == "she bought seven apples at the market"
    assert held_out.transcripts["foreign"].text == "the river"
    assert held_out.transcripts["foreign"].english is None
    assert held_out.transcripts["silent"].text is None


def test_its_fields_are_those_that_scores_can_be_grouped_by(prepared: Path) -> None:
    held_out = PreparedFolder(prepared).open(seed=0, limit=1, sample_rate=None)
    assert held_out.fields == {*other_fields(held_out.mixture(0).metadata)}
    assert held_out.fields >= {"level_db"}


def test_a_field_needs_a_value_that_a_group_can_be_made_of(tmp_path: Path) -> None:
    entries = write_corpus(tmp_path / "audio")
    entries["speech"][0].custom.update(microphone="far", place={"room": 1}, taps=[1, 2])
    prepare({"speech": entries["speech"], "noise": entries["noise"]}, tmp_path / "data", workers=1)
    held_out = PreparedFolder(tmp_path / "data").open(seed=0, limit=None, sample_rate=None)
    assert held_out.fields >= {"level_db", "microphone", "taps"}
    assert held_out.fields.isdisjoint({"place", "age", "text"})


def test_it_tells_what_it_is(prepared: Path) -> None:
    source = PreparedFolder(prepared, (-5.0, 2.5))
    assert source.title == "`test` at SNR -5, 2.5 dB"
    assert source.described() == {"kind": "prepared", "path": str(prepared), "snrs_db": [-5.0, 2.5]}


@pytest.mark.parametrize("snrs_db", [(), (1.0, 1.0), (np.nan,)])
def test_snrs_that_cannot_work_are_refused(snrs_db: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="`snr`"):
        PreparedFolder(Path("data"), snrs_db)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="prepared folder"):
        PreparedFolder(tmp_path).open(seed=0, limit=None, sample_rate=None)


def test_the_fingerprint_follows_the_manifests_and_the_rate_and_not_the_limit(prepared: Path) -> None:
    source = PreparedFolder(prepared)
    prints = [
        source.open(seed=0, limit=limit, sample_rate=rate).fingerprint()
        for limit, rate in ((None, None), (1, None), (None, 8_000))
    ]
    assert prints[0] == prints[1] == f"{manifests_fingerprint(prepared)}-16000"
    assert prints[2] == f"{manifests_fingerprint(prepared)}-8000"


def test_the_data_are_known_by_what_their_manifests_say(tmp_path: Path) -> None:
    prints = []
    for content, stamp in ((b"a", 1), (b"a", 2), (b"b", 1)):
        (tmp_path / "speech.jsonl.gz").write_bytes(gzip.compress(content, mtime=stamp))
        prints.append(manifests_fingerprint(tmp_path))
    (tmp_path / "noise.jsonl.gz").write_bytes(gzip.compress(b"b"))
    prints.append(manifests_fingerprint(tmp_path))
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
