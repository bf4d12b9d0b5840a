from __future__ import annotations

import json

from cmkt.evaluation.group_table import groups_markdown, groups_values, harm_markdown, harm_values
from cmkt.evaluation.groups import GroupCell, group_cells
from cmkt.evaluation.harm import find_harm
from cmkt.evaluation.record import Score


def cells(count: int = 24) -> list[GroupCell]:
    scores = []
    for number in range(count):
        gender = "m" if number % 2 else "f"
        for system, value in (("noisy", 0.5), ("plain", 0.6 if gender == "f" else 0.4)):
            scores.append(
                Score(str(number), 5.0, system, "", "d", 0, 1.0, gender=gender, metrics={"stoi": value, "estoi": value})
            )
    return group_cells(scores, ["stoi", "estoi"])


def test_there_is_a_table_only_for_what_tells_groups_apart() -> None:
    text = "\n\n".join(groups_markdown(cells()))
    assert "### By gender" in text
    assert "### By SNR" not in text
    assert "All mixtures have SNR 5 dB. The data do not say: language, age, corpus, noise class." in text


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
