"""The account of a preparation."""

from __future__ import annotations

import json

from cmkt.data.report import KindReport, Report


def test_reasons_are_counted_with_the_first_five_examples() -> None:
    report = KindReport(listed=10, kept=3, seconds=7200.0, with_text=2)
    for number in range(7):
        report.drop("silent", f"file{number}")
    report.note("clipped", "loud")
    assert report.dropped["silent"].count == 7
    assert report.dropped["silent"].examples == [f"file{number}" for number in range(5)]
    whole = Report({"speech": report})
    lines = "\n".join(whole.lines())
    assert "speech: kept 3 of 10, 2.00 h, 2 with a transcript" in lines
    assert "dropped, silent: 7" in lines
    assert "note, clipped: 1" in lines
    written = json.loads(json.dumps(whole.to_json()))
    assert written["speech"]["hours"] == 2.0
    assert written["speech"]["dropped"]["silent"]["count"] == 7


def test_spread_of_the_noise_floors_is_told_where_there_is_speech() -> None:
    report = KindReport(listed=11, kept=11)
    report.summarise([float(value) for value in range(20, 31)])
    assert report.speech_to_floor_db == {"p10": 21.0, "p50": 25.0, "p90": 29.0}
    assert any("p10 21.0 dB, p50 25.0 dB, p90 29.0 dB" in line for line in Report({"speech": report}).lines())
    empty = KindReport()
    empty.summarise([])
    assert empty.speech_to_floor_db == {}
    assert not any("floor" in line for line in Report({"speech": empty}).lines())
