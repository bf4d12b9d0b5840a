from __future__ import annotations

from cmkt.evaluation.report.heard import Piece, marked


def test_errors_are_marked_in_order_and_equal_words_are_together() -> None:
    assert marked("The old man walked.", "the cold man walked far") == [
        Piece("equal", "the", "the"),
        Piece("substitute", "old", "cold"),
        Piece("equal", "man walked", "man walked"),
        Piece("insert", "", "far"),
    ]


def test_what_was_not_heard_is_deleted() -> None:
    assert marked("one two", "") == [Piece("delete", "one two", "")]
    assert marked("", "one") == [Piece("insert", "", "one")]
    assert marked("", "") == []
