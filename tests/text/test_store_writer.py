from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cmkt.errors import ConfigError, StoreError
from cmkt.text.store import StoredTeacher, StoreReader
from cmkt.text.store_writer import StoreWriter

WIDTH = 64
START = Callable[..., "subprocess.Popen[str]"]

WRITE_FOR_EVER = """
import itertools, sys, torch
from cmkt.text.store_writer import StoreWriter
with StoreWriter(sys.argv[1], identity="teacher", width=64) as writer:
    for number in itertools.count():
        writer.put(f"text {number}", torch.full((4, 64), float(number % 1000)))
        if number % 50 == 49:
            writer.flush()
            print(number + 1, flush=True)
"""

WRITE_UNTIL_FULL = """
import resource, sys, torch
from cmkt.errors import ConfigError, StoreError
from cmkt.text.store_writer import StoreWriter
with StoreWriter(sys.argv[1], identity="teacher", width=64) as writer:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * 2**20, 4 * 2**20))
    try:
        for number in range(100_000):
            writer.put(f"text {number}", torch.full((4, 64), float(number % 1000)))
    except StoreError as error:
        print(error)
        sys.exit(3)
"""

WRITE_MUCH = """
import sys, torch
from cmkt.text import environment
from cmkt.text.store_writer import StoreWriter
environment.INITIAL_MAP_BYTES = 2**16
with StoreWriter(sys.argv[1], identity="teacher", width=64) as writer:
    for number in range(6000):
        writer.put(f"text {number}", torch.full((16, 64), float(number % 1000)))
"""


def _write(path: Path, numbers: range, *, identity: str = "teacher", width: int = WIDTH) -> None:
    with StoreWriter(path, identity=identity, width=width) as writer:
        for number in numbers:
            writer.put(f"text {number}", torch.full((4, width), float(number % 1000)))


def _assert_whole(path: Path, at_least: int) -> int:
    teacher = StoredTeacher(path)
    texts = StoreReader(path).statistics.texts
    assert texts >= at_least
    for number, vectors in enumerate(teacher.embed([f"text {number}" for number in range(texts)])):
        assert torch.equal(vectors, torch.full((4, WIDTH), float(number % 1000)))
    assert teacher.missing([f"text {texts}"])
    return texts


def test_writing_goes_on_where_it_ended(tmp_path: Path) -> None:
    _write(tmp_path, range(10))
    _write(tmp_path, range(5, 700))
    assert _assert_whole(tmp_path, 700) == 700
    assert StoreReader(tmp_path).statistics.tokens == 2800


def test_a_text_put_twice_is_counted_once(tmp_path: Path) -> None:
    with StoreWriter(tmp_path, identity="teacher", width=2) as writer:
        for _ in range(2):
            writer.put("A", torch.ones(3, 2))
        writer.flush()
        writer.put("A", torch.zeros(1, 2))
        assert (writer.statistics.texts, writer.statistics.tokens) == (1, 3)


def test_the_store_of_another_teacher_is_refused_naming_both(tmp_path: Path) -> None:
    _write(tmp_path, range(3))
    with pytest.raises(StoreError, match=r"must be of the teacher other .* but was written by teacher"):
        _write(tmp_path, range(3), identity="other")
    with pytest.raises(StoreError, match=r"\(width 65\), but was written by teacher \(width 64\)"):
        _write(tmp_path, range(3), width=65)
    assert _assert_whole(tmp_path, 3) == 3


def test_a_store_of_eight_bits_is_smaller_read_alike_and_keeps_its_bits(tmp_path: Path) -> None:
    vectors = torch.randn(64, 384, generator=torch.Generator().manual_seed(0))
    for bits in (8, 16):
        with StoreWriter(tmp_path / str(bits), identity="teacher", width=384, bits=bits) as writer:
            for number in range(50):
                writer.put(f"text {number}", vectors + number)
    found = StoredTeacher(tmp_path / "8").embed(["text 7"])[0]
    torch.testing.assert_close(found, vectors + 7, atol=0.06, rtol=0)
    sizes = [StoreReader(tmp_path / str(bits)).file_bytes for bits in (8, 16)]
    assert sizes[0] < 0.6 * sizes[1]
    with pytest.raises(StoreError, match="must have 16 bits a value, but was written with 8"):
        StoreWriter(tmp_path / "8", identity="teacher", width=384)
    with pytest.raises(ConfigError, match="`bits` must be 16 or 8, but is 4"):
        StoreWriter(tmp_path / "4", identity="teacher", width=384, bits=4)
    assert not (tmp_path / "4").exists()


def test_another_store_of_the_same_teacher_is_absorbed_and_any_other_refused(tmp_path: Path) -> None:
    _write(tmp_path / "own", range(10))
    _write(tmp_path / "other", range(5, 20))
    _write(tmp_path / "foreign", range(3), identity="foreign")
    with StoreWriter(tmp_path / "own", identity="teacher", width=WIDTH) as writer:
        writer.absorb(StoreReader(tmp_path / "other"))
        writer.absorb(StoreReader(tmp_path / "other"))
        with pytest.raises(StoreError, match="must be of the teacher and bits"):
            writer.absorb(StoreReader(tmp_path / "foreign"))
    assert _assert_whole(tmp_path / "own", 20) == 20
    assert StoreReader(tmp_path / "own").statistics.tokens == 80


def test_vectors_of_another_width_are_refused(tmp_path: Path) -> None:
    with (
        StoreWriter(tmp_path, identity="teacher", width=2) as writer,
        pytest.raises(StoreError, match=r"must be \(tokens, 2\)"),
    ):
        writer.put("A", torch.ones(3, 4))


def test_what_was_put_before_an_error_is_kept(tmp_path: Path) -> None:
    def interrupted() -> None:
        with StoreWriter(tmp_path, identity="teacher", width=WIDTH) as writer:
            writer.put("text 0", torch.zeros(4, WIDTH))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert _assert_whole(tmp_path, 1) == 1


def test_a_store_without_texts_can_be_read(tmp_path: Path) -> None:
    _write(tmp_path, range(0))
    assert StoreReader(tmp_path).statistics.texts == 0


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with (
        StoreWriter(tmp_path, identity="teacher", width=WIDTH),
        pytest.raises(StoreError, match="must have one writer, but another process is writing"),
    ):
        StoreWriter(tmp_path, identity="teacher", width=WIDTH)
    _write(tmp_path, range(3))


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        StoreWriter(tmp_path / "file" / "store", identity="teacher", width=WIDTH)


def test_a_kill_in_the_middle_leaves_a_store_that_can_be_read_and_added_to(tmp_path: Path, start: START) -> None:
    for round_ in range(2):
        process = start(WRITE_FOR_EVER, str(tmp_path))
        assert process.stdout is not None
        flushed = 0
        while flushed < 400 * (round_ + 1):
            flushed = int(process.stdout.readline())
        with pytest.raises(StoreError, match="another process is writing"):
            StoreWriter(tmp_path, identity="teacher", width=WIDTH)
        StoredTeacher(tmp_path).embed(["text 0"])
        process.send_signal(signal.SIGKILL)
        process.communicate()
        _assert_whole(tmp_path, flushed)


def test_a_full_disk_says_what_was_kept(tmp_path: Path, start: START) -> None:
    process = start(WRITE_UNTIL_FULL, str(tmp_path))
    output, errors = process.communicate()
    assert process.returncode == 3, errors
    kept = _assert_whole(tmp_path, 256)
    assert f"The {kept} texts written before are kept. Make room" in output
    _write(tmp_path, range(kept + 10))


def test_the_map_grows_for_the_writer_and_for_readers_of_another_process(tmp_path: Path, start: START) -> None:
    start(WRITE_MUCH.replace("6000", "1"), str(tmp_path)).communicate()
    teacher = StoredTeacher(tmp_path)
    assert len(teacher.embed(["text 0"])[0]) == 16
    process = start(WRITE_MUCH, str(tmp_path))
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert float(teacher.embed(["text 5999"])[0][15, 63]) == 999.0


def test_a_store_from_before_learns_whether_its_teacher_is_causal_and_keeps_its_texts(tmp_path: Path) -> None:
    with StoreWriter(tmp_path, identity="teacher", width=2) as writer:
        writer.put("one", torch.ones(1, 2))
    assert StoredTeacher(tmp_path).causal is None
    with StoreWriter(tmp_path, identity="teacher", width=2, causal=True) as writer:
        assert writer.statistics.texts == 1
    assert StoredTeacher(tmp_path).causal is True
    with StoreWriter(tmp_path, identity="teacher", width=2) as writer:
        writer.put("two", torch.ones(1, 2))
    assert StoredTeacher(tmp_path).causal is True
    assert StoreReader(tmp_path).statistics.texts == 2
