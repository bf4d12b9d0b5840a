"""Pair lists: what a line may say, what is checked, and that they need neither torch nor Lhotse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cmkt.data.pairs import Pair, read_pairs, write_pairs
from cmkt.errors import DataError
from tests.data.conftest import Wav, speech_like

SPEECH = speech_like(0.5, 0)


def write_list(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def listed(tmp_path: Path, wav: Wav) -> Path:
    """A list whose second line a test replaces."""
    for name in ("noisy/a", "clean/a", "noisy/b"):
        wav(f"{name}.wav", SPEECH)
    return write_list(tmp_path / "list.jsonl", {"id": "a", "noisy": "noisy/a.wav", "clean": "clean/a.wav"})


def append(listed: Path, line: str) -> None:
    with listed.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def test_fields_are_understood_and_unknown_ones_travel_along(listed: Path, tmp_path: Path) -> None:
    write_list(
        listed,
        {
            "id": "a",
            "noisy": "noisy/a.wav",
            "clean": "clean/a.wav",
            "text": "嗨",
            "snr_db": 5,
            "n": [1],
        },
        {"noisy": str(tmp_path / "noisy/b.wav"), "text": "", "snr_db": None},
    )
    first, second = read_pairs(listed)
    assert first == Pair("a", tmp_path / "noisy/a.wav", tmp_path / "clean/a.wav", "嗨", 5.0, {"n": [1]})
    assert (second.id, second.clean, second.text, second.snr_db) == (f"{tmp_path}/noisy/b", None, None, None)
    assert second.noisy == tmp_path / "noisy/b.wav"


def test_what_is_written_is_read_back_and_may_be_moved_with_its_folder(tmp_path: Path, wav: Wav) -> None:
    inside, outside = wav("set/noisy/a.wav", SPEECH), wav("elsewhere/a.wav", SPEECH)
    pairs = [Pair("a", inside, outside, "a text", -2.5, {"noise_ids": ["x"]}), Pair("a", inside, None, None, 0.0)]
    write_pairs(tmp_path / "set/list.jsonl", pairs)
    assert read_pairs(tmp_path / "set/list.jsonl") == pairs
    (tmp_path / "set").rename(tmp_path / "moved")
    moved = read_pairs(tmp_path / "moved/list.jsonl")[0]
    assert (moved.noisy, moved.clean) == (tmp_path / "moved/noisy/a.wav", outside)


@pytest.mark.parametrize("about", [{"text": "x"}, {"value": float("nan")}, {"value": object()}])
def test_a_field_that_a_list_cannot_hold_is_refused_and_nothing_is_written(
    tmp_path: Path, about: dict[str, object]
) -> None:
    with pytest.raises(DataError, match="of a must"):
        write_pairs(tmp_path / "list.jsonl", [Pair("a", Path("a.wav"), about=about)])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"noisy": "noisy/b.wav"', "one JSON object"),
        ('["noisy/b.wav"]', "JSON object, but is list"),
        ('{"id": "b"}', "`noisy` must be the path"),
        ('{"noisy": 3}', "`noisy` must be a string"),
        ('{"noisy": "noisy/b.wav", "text": 5}', "`text` must be a string"),
        ('{"noisy": "noisy/b.wav", "snr_db": "5"}', "`snr_db` must be a number"),
        ('{"noisy": "noisy/b.wav", "snr_db": true}', "`snr_db` must be a number"),
        ('{"noisy": "noisy/b.wav", "snr_db": NaN}', "`snr_db` must be a number"),
        ('{"id": "a", "noisy": "noisy/b.wav"}', "line 1 too"),
        ('{"noisy": "noisy/gone.wav"}', r"`noisy` of noisy/gone cannot be used.*gone\.wav.*does not exist"),
        ('{"noisy": "noisy/b.wav", "clean": "clean/gone.wav"}', r"`clean` of noisy/b cannot be used.*gone\.wav"),
        ('{"noisy": "list.jsonl"}', "cannot be used"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(listed: Path, line: str, message: str) -> None:
    append(listed, line)
    with pytest.raises(DataError, match=f"line 2.*{message}"):
        read_pairs(listed)


def test_one_id_may_come_at_several_snrs_but_at_each_once(listed: Path) -> None:
    for snr_db in (0, 5):
        append(listed, json.dumps({"id": "a", "noisy": "noisy/b.wav", "snr_db": snr_db}))
    assert [pair.snr_db for pair in read_pairs(listed)] == [None, 0.0, 5.0]
    append(listed, '{"id": "a", "noisy": "noisy/b.wav", "snr_db": 5.0}')
    with pytest.raises(DataError, match=r"line 4: .*a at 5 dB is .*line 3 too"):
        read_pairs(listed)


def test_other_rates_and_several_channels_are_refused_by_name(listed: Path, wav: Wav) -> None:
    wav("clean/b.wav", SPEECH, rate=48_000)
    append(listed, '{"id": "b", "noisy": "noisy/b.wav", "clean": "clean/b.wav"}')
    with pytest.raises(DataError, match=r"line 2: .*of b must have the same sample rate, but have 16000 and 48000 Hz"):
        read_pairs(listed)
    wav("clean/b.wav", np.stack([SPEECH, SPEECH]))
    with pytest.raises(DataError, match=r"line 2: `clean` of b must have one channel, but .*b\.wav has 2"):
        read_pairs(listed)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\x00"])
def test_a_list_with_nothing_in_it_or_not_of_text_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=r"list\.jsonl must"):
        read_pairs(tmp_path / "list.jsonl")
    with pytest.raises(DataError, match=r"none\.jsonl must"):
        read_pairs(tmp_path / "none.jsonl")


def test_a_byte_order_mark_and_empty_lines_are_no_part_of_a_list(listed: Path) -> None:
    listed.write_text("\n" + listed.read_text(), encoding="utf-8-sig")
    assert [pair.id for pair in read_pairs(listed)] == ["a"]


WITHOUT_TORCH = """
import sys
from pathlib import Path

class Ban:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "lhotse"):
            raise ImportError(f"{name} is banned here")

sys.meta_path.insert(0, Ban())
from cmkt.data.pair_audio import read_pair
from cmkt.data.pair_folders import find_pairs
from cmkt.data.pairs import read_pairs
from cmkt.evaluation.reference_check import check_noisy

pairs = read_pairs(Path(sys.argv[1]))
read_pair(pairs[0], sample_rate=8000)
check_noisy(pairs)
print(len(find_pairs(Path(sys.argv[1]).parent / "noisy")))
"""


def test_pairs_need_neither_torch_nor_lhotse(listed: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_TORCH, str(listed)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stdout == "2\n", ran.stderr
