from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.evaluation.counts import Verdict
from cmkt.evaluation.evaluate import Settings
from cmkt.evaluation.identity import NOISY_SYSTEM, System
from cmkt.evaluation.record import Score
from cmkt.evaluation.results import write_results

SYSTEMS = [NOISY_SYSTEM, System("plain", "runs/plain", "01"), System("transfer", "runs/transfer", "02")]


def score(utterance: str, system: str, stoi: float) -> Score:
    return Score(utterance, 0.0, system, "", "d", seed=0, duration=1.0, metrics={"stoi": stoi, "si_sdr": 1.0})


SCORES = [
    score(utterance, system.name, 0.5 + 0.1 * place + 0.01 * number)
    for number, utterance in enumerate("ab")
    for place, system in enumerate(SYSTEMS)
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=Path("data/test"), output=tmp_path / "out", snrs_db=(0.0,))


def test_both_summaries_are_written_and_say_the_same(settings: Settings) -> None:
    text = write_results(settings, SYSTEMS, SCORES, verdicts={"plain": Verdict("undertrained", ("stoi: low",))})
    assert (settings.output / "summary.md").read_text(encoding="utf-8") == text
    assert "2 utterances of `test` at SNR 0 dB, seed 0." in text
    assert "plain: undertrained. stoi: low." in text
    values = json.loads((settings.output / "summary.json").read_text(encoding="utf-8"))
    assert list(values["systems"]) == ["noisy", "plain", "transfer"]
    assert values["systems"]["plain"]["overall"]["stoi"]["difference"]["mean"] == pytest.approx(0.1)
    assert values["weights"] == {"noisy": "", "plain": "01", "transfer": "02"}
    assert values["verdicts"]["plain"]["verdict"] == "undertrained"
    assert {path.name for path in settings.output.iterdir()} == {"summary.md", "summary.json"}


def test_failures_and_reasons_are_counted(settings: Settings) -> None:
    failed = replace(SCORES[1], metrics={}, missing={"stoi": "failed: no file"}, error="no file")
    others = [replace(each, noise_ids=("hiss",)) for each in (SCORES[0], *SCORES[2:])]
    text = write_results(settings, SYSTEMS, [others[0], failed, *others[1:]])
    assert "plain failed on 1 mixtures" in text
    values = json.loads((settings.output / "summary.json").read_text(encoding="utf-8"))
    assert values["failed"] == {"plain": 1}
    assert values["missing"] == {"stoi": {"failed: no file": 1}}


def test_groups_and_harm_are_in_both_summaries(settings: Settings) -> None:
    text = write_results(settings, SYSTEMS, SCORES)
    assert "## By group" in text
    assert "## Does it harm anyone?\n\nNot known: no group has 20 utterances" in text
    values = json.loads((settings.output / "summary.json").read_text(encoding="utf-8"))
    assert {(each["system"], each["grouping"]) for each in values["groups"]} >= {("plain", "SNR"), ("transfer", "SNR")}
    assert values["harm"]["harmed"] == []


def test_noisy_alone_has_no_groups(settings: Settings) -> None:
    text = write_results(settings, SYSTEMS[:1], [each for each in SCORES if each.system == "noisy"])
    assert "By group" not in text
    assert "harm" not in text
