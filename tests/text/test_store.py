from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cmkt.errors import StoreError
from cmkt.text.store import StoredTeacher, StoreReader, is_store
from cmkt.text.store_writer import StoreWriter
from cmkt.types import Teacher

TEXTS = [f"TEXT NUMBER {number}" for number in range(40)]


def _vectors(number: int) -> Tensor:
    return torch.full((1 + number % 4, 8), float(number))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with StoreWriter(tmp_path / "store", identity="teacher", width=8) as writer:
        for number, text in enumerate(TEXTS):
            writer.put(text, _vectors(number))
    return tmp_path / "store"


class _Stored(Dataset[Tensor]):
    def __init__(self, teacher: StoredTeacher) -> None:
        self.teacher = teacher

    def __len__(self) -> int:
        return len(TEXTS)

    def __getitem__(self, index: int) -> Tensor:
        return self.teacher.embed([TEXTS[index]])[0][0]


def test_a_stored_teacher_repeats_what_was_written(store: Path) -> None:
    teacher = StoredTeacher(store)
    assert isinstance(teacher, Teacher)
    assert (teacher.width, teacher.identity) == (8, "teacher")
    for number, vectors in enumerate(teacher.embed(TEXTS)):
        assert torch.equal(vectors, _vectors(number))
        assert vectors.dtype == torch.float32


def test_white_space_does_not_matter_for_finding_a_text(store: Path) -> None:
    assert torch.equal(StoredTeacher(store).embed(["  TEXT   NUMBER 3\n"])[0], _vectors(3))


def test_a_text_that_is_not_there_is_named_with_the_command_that_adds_it(store: Path) -> None:
    with pytest.raises(StoreError, match=r"1 of 2 are not, the first 'NEW'.*cmkt embed"):
        StoredTeacher(store).embed([TEXTS[0], "NEW"])


def test_a_store_knows_what_it_covers(store: Path) -> None:
    teacher = StoredTeacher(store)
    assert teacher.covers(TEXTS)
    assert not teacher.covers([TEXTS[0], "NEW"])
    assert teacher.missing(["NEW", TEXTS[0]]) == ["NEW"]


def test_a_folder_without_a_store_is_an_error(tmp_path: Path) -> None:
    assert not is_store(tmp_path)
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(StoreError, match=r"must be an embedding store.*cmkt embed"):
            StoredTeacher(folder)


def test_a_file_that_is_no_store_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"no store" * 4096)
    with pytest.raises(StoreError, match="cannot be opened"):
        StoredTeacher(tmp_path)


def test_a_store_that_was_cut_is_an_error_not_a_crash(store: Path) -> None:
    from cmkt.text.environment import close

    close(store.resolve())
    data = store / "data.mdb"
    data.write_bytes(data.read_bytes()[:-4096])
    with pytest.raises(StoreError, match=r"must have \d+ bytes, but was cut to \d+"):
        StoredTeacher(store)


def test_many_readers_of_one_store_live_in_one_process(store: Path) -> None:
    link = store.parent / "link"
    link.symlink_to(store)
    teachers = [StoredTeacher(store), StoredTeacher(store), StoredTeacher(link)]
    for teacher in teachers:
        assert torch.equal(teacher.embed([TEXTS[5]])[0], _vectors(5))


def test_a_reader_follows_a_store_that_was_replaced(store: Path, tmp_path: Path) -> None:
    reader = StoreReader(store)
    with StoreWriter(tmp_path / "other", identity="teacher", width=8) as writer:
        writer.put("NEW", _vectors(2))
    (tmp_path / "other" / "data.mdb").replace(store / "data.mdb")
    assert torch.equal(reader.get("NEW"), _vectors(2))  # type: ignore[arg-type]
    assert reader.get(TEXTS[0]) is None


def test_a_stored_teacher_may_be_pickled_without_its_vectors(store: Path) -> None:
    pickled = pickle.dumps(StoredTeacher(store))
    assert len(pickled) < 1000
    assert pickle.loads(pickled).covers(TEXTS)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_many_processes_read_at_once(store: Path, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot start processes by {method}")
    teacher = StoredTeacher(store)
    teacher.embed(TEXTS)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        missing = list(pool.map(teacher.missing, [[*TEXTS, str(number)] for number in range(8)]))
    assert missing == [[str(number)] for number in range(8)]
    assert teacher.covers(TEXTS)


def test_workers_of_a_data_loader_read_after_the_parent_did(store: Path) -> None:
    teacher = StoredTeacher(store)
    teacher.embed(TEXTS)
    loader = DataLoader(_Stored(teacher), batch_size=4, num_workers=2)
    for _ in range(2):
        read = torch.cat(list(loader))
        assert torch.equal(read[:, 0], torch.arange(len(TEXTS), dtype=torch.float32))
        teacher.embed(TEXTS)


def test_many_threads_read_at_once(store: Path) -> None:
    teacher = StoredTeacher(store)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda number: teacher.embed([TEXTS[number % 40]])[0], range(200)))
    assert all(torch.equal(vectors, _vectors(number % 40)) for number, vectors in enumerate(results))


def test_a_reader_sees_what_a_writer_of_the_same_process_flushed(store: Path) -> None:
    reader = StoreReader(store)
    with StoreWriter(store, identity="teacher", width=8) as writer:
        writer.put("NEW", _vectors(1))
        assert reader.get("NEW") is None
        writer.flush()
        assert reader.get("NEW") is not None
    assert reader.get("NEW") is not None
    assert reader.statistics.texts == len(TEXTS) + 1
