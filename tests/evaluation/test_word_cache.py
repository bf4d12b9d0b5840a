from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.evaluation.word_cache import LikelihoodCache, content_key, default_cache


def test_what_was_put_comes_back_to_another_process(tmp_path: Path) -> None:
    LikelihoodCache(tmp_path / "new").put("abc", (-1.5, None))
    assert LikelihoodCache(tmp_path / "new").get("abc") == (-1.5, None)
    assert LikelihoodCache(tmp_path / "new").get("abd") is None


@pytest.mark.parametrize("content", ["", "{", "{}", '["a"]'])
def test_a_damaged_result_is_no_result(tmp_path: Path, content: str) -> None:
    cache = LikelihoodCache(tmp_path)
    cache.put("abc", (-1.0,))
    (path,) = tmp_path.rglob("*.json")
    path.write_text(content)
    assert cache.get("abc") is None


def test_a_folder_that_cannot_be_written_loses_only_the_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = LikelihoodCache(tmp_path / "file")
    cache.put("abc", (-1.0,))
    assert cache.get("abc") is None


def test_keys_change_with_every_part_and_its_borders() -> None:
    keys = {content_key(*parts) for parts in ((b"a", b"bc"), (b"ab", b"c"), (b"abc",), (b"a", b"bc", b""))}
    assert len(keys) == 4


def test_the_cache_lies_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "cmkt" / "words"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache" / "cmkt" / "words"
