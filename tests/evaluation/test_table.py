from __future__ import annotations

import json
from dataclasses import replace

from cmkt.evaluation.bootstrap import Interval
from cmkt.evaluation.comparison import Comparison
from cmkt.evaluation.record import Score
from cmkt.evaluation.summary import Estimate, summarise
from cmkt.evaluation.table import estimate_text, interval_text, label, markdown_table, summary_markdown, summary_values


def score(utterance: str, snr_db: float, system: str, stoi: float | None) -> Score:
    metrics = {} if stoi is None else {"stoi": stoi}
    return Score(utterance, snr_db, system, weights="", data="d", seed=0, duration=1.0, metrics=metrics)


SCORES = [
    score(utterance, snr_db, system, value)
    for utterance, snr_db, system, value in (
        ("a", -5.0, "noisy", 0.5),
        ("b", -5.0, "noisy", 0.7),
        ("a", -5.0, "plain", 0.6),
        ("b", -5.0, "plain", None),
    )
]


def test_columns_are_padded_to_equal_width() -> None:
    lines = markdown_table(["system", "x"], [["a", "1.00 ± 0.10"], ["longer name", "2"]]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1] == "|-------------|------------:|"
    assert lines[3] == "| longer name |           2 |"


def test_metrics_are_called_as_in_papers() -> None:
    assert [label(name) for name in ("pesq_wb", "si_sdr", "mine")] == ["PESQ-WB", "SI-SDR (dB)", "mine"]


def test_estimates_show_what_is_known() -> None:
    assert estimate_text(Estimate(1.234, 0.056, 9), decimals=2) == "1.23 ± 0.06"
    assert estimate_text(Estimate(1.234, None, 1), decimals=1, sign="+") == "+1.2"
    assert estimate_text(Estimate(None, None, 0), decimals=2) == "-"


def test_many_metrics_make_several_tables_and_which_fall_is_told() -> None:
    metrics = ("pesq_wb", "pesq_nb", "stoi", "estoi", "si_sdr", "snr_seg", "lsd", "wer")
    text = summary_markdown(summarise(SCORES, metrics), metrics=metrics, title="Evaluation")
    assert "Lower is better: LSD, WER." in text
    heads = [line for line in text.split("Mixtures without")[0].splitlines() if line.startswith("| system")]
    assert [head.count("|") for head in heads] == [9, 5]
    assert "Lower is better" not in summary_markdown(summarise(SCORES, ["stoi"]), metrics=["stoi"], title="Evaluation")


def test_only_metrics_that_lack_values_are_counted_as_such() -> None:
    told = [replace(each, metrics=each.metrics | {"si_sdr": 1.0}) for each in SCORES]
    text = summary_markdown(summarise(told, ["stoi", "si_sdr"]), metrics=["stoi", "si_sdr"], title="Evaluation")
    lacking = text.split("Mixtures without a value:")[1].split("##")[0]
    assert "STOI" in lacking
    assert "SI-SDR" not in lacking


def test_without_snrs_nothing_is_said_of_them() -> None:
    unknown = [replace(each, snr_db=None) for each in SCORES]
    assert "SNR" not in summary_markdown(summarise(unknown, ["stoi"]), metrics=["stoi"], title="Evaluation")


def test_the_summary_has_every_table_it_needs() -> None:
    comparison = Comparison(
        "stoi", "plain", "transfer", Interval(0.01, -0.01, 0.03), 2, 0, independent=2, drawn_by="utterance"
    )
    text = summary_markdown(
        summarise(SCORES, ["stoi"]), metrics=["stoi"], title="Evaluation", comparisons=[comparison], notes=["A note."]
    )
    assert text.startswith("# Evaluation\n\nA note.\n")
    assert "0.6000 ± 0.1000" in text
    assert "## SNR -5 dB" in text
    assert "Mixtures without a value:" in text
    assert "+0.1000" in text.split("## Difference against noisy")[1]
    assert "| transfer - plain |" in text
    assert "+0.0100 [-0.0100, +0.0300]" in text


def test_intervals_of_few_utterances_come_with_a_warning() -> None:
    def shown(utterances: int) -> str:
        comparison = Comparison("stoi", "plain", "transfer", Interval(0.01, 0.005, 0.03), 40, 0, utterances, "speaker")
        return summary_markdown(summarise(SCORES, ["stoi"]), metrics=["stoi"], title="E", comparisons=[comparison])

    warning = "Intervals of fewer than 10 utterances or speakers are too narrow; of a single one there is none."
    assert warning in shown(9)
    assert warning not in shown(10)


def test_without_models_there_is_no_table_of_differences() -> None:
    noisy = [each for each in SCORES if each.system == "noisy"]
    text = summary_markdown(summarise(noisy, ["stoi"]), metrics=["stoi"], title="Evaluation")
    assert "Difference" not in text
    assert "without a value" not in text


def test_values_are_plain_json() -> None:
    values = json.loads(json.dumps(summary_values(summarise(SCORES, ["stoi"])), allow_nan=False))
    assert values["plain"]["by_snr"]["-5"]["stoi"]["missing"] == 1
    assert values["noisy"]["overall"]["stoi"]["score"]["utterances"] == 2


def test_a_difference_of_one_speaker_is_told_without_an_interval() -> None:
    assert interval_text(Interval(0.25, 0.25, 0.25), metric="stoi", independent=1) == "+0.2500"
    assert interval_text(Interval(0.25, 0.125, 0.5), metric="stoi", independent=2) == "+0.2500 [+0.1250, +0.5000]"
