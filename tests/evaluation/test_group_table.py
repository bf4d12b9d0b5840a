from __future__ import annotations

import json

from cmkt.evaluation.group_table import groups_markdown, groups_values, harm_markdown, harm_values
from cmkt.evaluation.groups import GroupCell, group_cells
from cmkt.evaluation.harm import find_harm
from cmkt.evaluation.record import Score


def made(count: int) -> list[Score]:
    scores = []
    for number in range(count):
        gender = "m" if number % 2 else "f"
        for system, value in (("noisy", 0.5), ("plain", 0.6 if gender == "f" else 0.4)):
            scores.append(
                Score(str(number), 5.0, system, "", "d", 0, 1.0, gender=gender, metrics={"stoi": value, "estoi": value})
            )
    return scores


def cells(count: int = 24) -> list[GroupCell]:
    return group_cells(made(count), ["stoi", "estoi"])


def test_there_is_a_table_only_for_what_tells_groups_apart() -> None:
    text = "\n\n".join(groups_markdown(cells()))
    assert "### By gender" in text
    assert "### By SNR" not in text
    assert "All mixtures have SNR 5 dB, duration under 2 s. The data do not say: language, age, corpus," in text


def test_only_the_fields_that_were_asked_for_are_said_to_be_missing() -> None:
    own = group_cells(made(4), ["stoi"], fields=["gender", "age"], baseline="plain")
    assert own == []
    own = group_cells(made(4), ["stoi"], fields=["gender", "age"])
    text = "\n\n".join(groups_markdown(own, fields=["gender", "age"], baseline="plain"))
    assert "difference against plain" in text
    assert text.endswith("The data do not say: age.")


def test_groups_too_many_for_a_row_each_are_told_by_their_spread() -> None:
    scores = []
    for number in range(62):
        for system, value in (("noisy", 0.5), ("plain", 0.5 + 0.01 * (number // 2 - 10))):
            scores.append(
                Score(str(number), 5.0, system, "", "d", 0, 1.0, speaker=f"s{number // 2}", metrics={"wer": value})
            )
    text = "\n\n".join(groups_markdown(group_cells(scores, ["wer"]), fields=[]))
    (row,) = (line for line in text.split("### By speaker")[1].splitlines() if line.startswith("| plain"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "plain",
        "WER",
        "31",
        "20",
        "+0.050",
        "s30 (2): +0.200*",
        "s0 (2): -0.100*",
    ]


def test_metrics_that_nobody_is_harmed_by_are_shown_where_there_are_no_others() -> None:
    text = "\n\n".join(groups_markdown([cell for cell in cells() if cell.metric == "estoi"]))
    assert "ESTOI" in text


def test_a_row_shows_difference_interval_and_counts() -> None:
    text = "\n\n".join(groups_markdown(cells()))
    assert "| all " in text.split("### By")[0]
    (row,) = (line for line in text.splitlines() if line.startswith("| f "))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "f",
        "plain",
        "+0.1000 [+0.1000, +0.1000]",
        "12",
        "12",
    ]


def test_small_cells_are_marked() -> None:
    text = "\n\n".join(groups_markdown(cells(18)))
    assert text.count("+0.1000]*") == 1
    assert text.count("-0.1000]*") == 1
    assert "*: fewer than 10 utterances or speakers" in text


def test_of_one_utterance_there_is_no_interval() -> None:
    text = "\n\n".join(groups_markdown(cells(2)))
    (row,) = (line for line in text.splitlines() if line.startswith("| f "))
    assert "| +0.1000* |" in row


def test_harm_is_told_with_its_groups() -> None:
    text = "\n\n".join(harm_markdown(find_harm(cells(48))))
    assert "Yes: " in text
    assert "| gender: m |" in text
    assert "gender: f" not in text


def test_no_harm_is_told_plainly_and_without_a_table() -> None:
    helped = [cell for cell in cells(48) if cell.group != "m"]
    parts = harm_markdown(find_harm(helped))
    assert parts[0] == "## Does it harm anyone?"
    assert parts[1].startswith("No: ")
    assert len(parts) == 2


def test_values_are_plain_json() -> None:
    values = json.loads(json.dumps(groups_values(cells()), allow_nan=False))
    own = next(value for value in values if value["group"] == "m" and value["metric"] == "stoi")
    assert own["utterances"] == 12
    assert own["few"] is False
    assert own["low"] <= own["mean"] <= own["high"] < 0
    harm = json.loads(json.dumps(harm_values(find_harm(cells(48))), allow_nan=False))
    assert harm["harmed"][0]["group"] == "m"
    assert (harm["looked_at"], harm["too_small"]) == (3, 0)


def test_nothing_to_group_gives_nothing() -> None:
    assert groups_markdown([]) == []
