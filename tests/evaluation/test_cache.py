from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.evaluation.cache import ResultCache, content_key, default_cache


def test_what_was_put_comes_back_to_another_process(tmp_path: Path) -> None:
    for value in ([-1.5, None], {"stoi": 0.5}, "what was heard: 听到", 1.0):
        ResultCache(tmp_path / "new").put("abc", value)
        assert ResultCache(tmp_path / "new").get("abc") == value
    assert ResultCache(tmp_path / "new").get("abd") is None


@pytest.mark.parametrize("content", [b"", b"{", b'["a"', b"\xff\xfe"])
def test_a_damaged_result_is_no_result(tmp_path: Path, content: bytes) -> None:
    cache = ResultCache(tmp_path)
    cache.put("abc", [-1.0])
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(content)
    assert cache.get("abc") is None


def test_a_folder_that_cannot_be_written_loses_only_the_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = ResultCache(tmp_path / "file")
    cache.put("abc", [-1.0])
    assert cache.get("abc") is None


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cache = ResultCache(None)
    cache.put("abc", [-1.0])
    assert cache.get("abc") is None
    assert list(tmp_path.iterdir()) == []


def test_keys_change_with_every_part_and_its_borders() -> None:
    keys = {content_key(*parts) for parts in ((b"a", b"bc"), (b"ab", b"c"), (b"abc",), (b"a", b"bc", b""))}
    assert len(keys) == 4


def test_the_cache_lies_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "cmkt" / "evaluation"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache" / "cmkt" / "evaluation"
