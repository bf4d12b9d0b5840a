from __future__ import annotations

import json

import pytest

from cmkt.evaluation.arm_comparison import ArmComparison
from cmkt.evaluation.arm_table import arms_conclusion, arms_markdown, arms_values
from cmkt.evaluation.arms import Arm
from cmkt.evaluation.bootstrap import Interval
from cmkt.evaluation.comparison import Comparison
from cmkt.evaluation.run_scores import Evaluated
from cmkt.evaluation.seeds import SeededDifference


def compared(
    metric: str,
    mean: float,
    *,
    half: float,
    half_alone: float = 0.001,
    system: str = "transfer",
    runs: tuple[int, int] = (3, 3),
    paired: bool = False,
    independent: int = 40,
) -> ArmComparison:
    alone = Interval(mean, mean - half_alone, mean + half_alone)
    seeded = SeededDifference(
        Interval(mean, mean - half, mean + half), half / 3, 4.0, 0.001 if half < abs(mean) else 0.4, 0.75, 0.0123, None
    )
    comparison = Comparison(metric, "plain", system, alone, 60, 2, independent, "speaker")
    return ArmComparison(comparison, seeded, runs, paired, 0.0456, 0.002 if half < abs(mean) else 0.8)


FOUND = [
    compared("stoi", 0.05, half=0.02),
    compared("wer", 0.1, half=0.05),
    compared("si_sdr", 0.1, half=0.3),
    compared("estoi", 0.0, half=0.3),
]


def test_what_holds_for_other_seeds_is_told_from_what_the_runs_at_hand_do() -> None:
    assert arms_conclusion(FOUND) == (
        "transfer (3 runs) is better than plain (3 runs) in STOI; is worse than plain (3 runs) in WER; cannot be told "
        "from plain (3 runs) in SI-SDR (dB) (a difference of 0.05 would probably be seen), ESTOI (a difference of "
        "0.0456 would probably be seen). The runs of both at hand differ in SI-SDR (dB), but no more than other "
        "seeds might. This holds for other training seeds and other utterances like these, and not for other data. "
        "Seeds are taken to be unrelated between arms (--paired-seeds if they are shared)."
    )


def test_each_arm_has_its_sentence() -> None:
    said = arms_conclusion([compared("stoi", 0.05, half=0.02), compared("stoi", -0.05, half=0.02, system="shuffled")])
    assert said.startswith(
        "transfer (3 runs) is better than plain (3 runs) in STOI. shuffled (3 runs) is worse than plain (3 runs)"
    )


def test_what_is_assumed_of_an_arm_of_one_run_is_said() -> None:
    said = arms_conclusion([compared("stoi", 0.05, half=0.02, runs=(2, 1))])
    assert said.startswith("transfer (1 run) is better than plain (2 runs) in STOI. ")
    assert "An arm of one run is taken to vary over seeds as the other one does." in said
    assert "one run" not in arms_conclusion(FOUND)


def test_pairing_is_stated() -> None:
    assert "as sharing their seed" in arms_conclusion([compared("stoi", 0.05, half=0.02, paired=True)])


def test_the_tables_have_both_intervals_and_what_the_seeds_do() -> None:
    text = arms_markdown(FOUND)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.count("|") > 2]
    stoi = [row for row in rows if row[1] == "STOI"]
    assert stoi == [
        [
            "transfer - plain",
            "STOI",
            "+0.0500 [+0.0300, +0.0700]",
            "0.0010",
            "0.0020",
            "[+0.0490, +0.0510]",
            "60",
            "40 speakers",
        ],
        ["transfer - plain", "STOI", "-", "0.0123", "75%", "4.0", "0.0456"],
    ]
    assert "Up to 2 mixtures have no value in some run" in text
    assert text.rstrip().endswith(arms_conclusion(FOUND))
    assert "too narrow" not in text
    assert "too narrow" in arms_markdown([compared("stoi", 0.05, half=0.02, independent=9)])


def test_values_are_plain_json() -> None:
    arms = [Arm(name, (Evaluated(f"{name}-1", {}), Evaluated(f"{name}-2", {}))) for name in ("plain", "transfer")]
    values = json.loads(json.dumps(arms_values(arms, FOUND), allow_nan=False))
    assert values["arms"] == {"plain": ["plain-1", "plain-2"], "transfer": ["transfer-1", "transfer-2"]}
    assert values["paired_seeds"] is False
    own = values["comparisons"][0]
    assert (own["metric"], own["differs"], own["detectable"]) == ("stoi", True, 0.0456)
    assert own["over_seeds"]["interval"]["low"] == pytest.approx(0.03)
    assert values["conclusion"] == arms_conclusion(FOUND)
