from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.counts import Verdict
from cmkt.evaluation.evaluated_model import Model
from cmkt.evaluation.plan import Plan
from cmkt.evaluation.prepared_set import PreparedFolder
from cmkt.evaluation.record import Score
from cmkt.evaluation.results import write_results
from cmkt.evaluation.settings import Settings
from cmkt.evaluation.systems import Noisy, System
from cmkt.metrics.utterance import NO_REFERENCE

SYSTEMS: list[System] = [Noisy(), Model("plain", "runs/plain", "01"), Model("transfer", "runs/transfer", "02")]


def score(utterance: str, system: str, stoi: float) -> Score:
    return Score(utterance, 0.0, system, "", "d", seed=0, duration=1.0, metrics={"stoi": stoi, "si_sdr": 1.0})


SCORES = [
    score(utterance, system.name, 0.5 + 0.1 * place + 0.01 * number)
    for number, utterance in enumerate("ab")
    for place, system in enumerate(SYSTEMS)
]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    settings = Settings(PreparedFolder(Path("data/test"), (0.0,)), output=tmp_path / "out")
    return Plan(settings, data="d", blind=False, metrics=("stoi", "si_sdr"), sound="s", words=None)


def test_both_summaries_are_written_and_say_the_same(plan: Plan) -> None:
    text = write_results(plan, SYSTEMS, SCORES, verdicts={"plain": Verdict("undertrained", ("stoi: low",))})
    assert (plan.settings.output / "summary.md").read_text(encoding="utf-8") == text
    assert "2 utterances of `test` at SNR 0 dB, seed 0." in text
    assert "plain: undertrained. stoi: low." in text
    values = json.loads((plan.settings.output / "summary.json").read_text(encoding="utf-8"))
    assert list(values["systems"]) == ["noisy", "plain", "transfer"]
    assert values["systems"]["plain"]["overall"]["stoi"]["difference"]["mean"] == pytest.approx(0.1)
    assert values["weights"] == {"noisy": "", "plain": "01", "transfer": "02"}
    assert values["verdicts"]["plain"]["verdict"] == "undertrained"
    assert {path.name for path in plan.settings.output.iterdir()} == {"summary.md", "summary.json"}


def test_failures_and_reasons_are_counted(plan: Plan) -> None:
    failed = replace(SCORES[1], metrics={}, missing={"stoi": "failed: no file"}, error="no file")
    others = [replace(each, noise_ids=("hiss",)) for each in (SCORES[0], *SCORES[2:])]
    text = write_results(plan, SYSTEMS, [others[0], failed, *others[1:]])
    assert "plain failed on 1 mixtures" in text
    values = json.loads((plan.settings.output / "summary.json").read_text(encoding="utf-8"))
    assert values["failed"] == {"plain": 1}
    assert values["missing"] == {"stoi": {"failed: no file": 1}}


def test_groups_and_harm_are_in_both_summaries(plan: Plan) -> None:
    text = write_results(plan, SYSTEMS, SCORES)
    assert "## By group" in text
    assert "## Does it harm anyone?\n\nNot known: no group has 20 utterances" in text
    values = json.loads((plan.settings.output / "summary.json").read_text(encoding="utf-8"))
    assert {(each["system"], each["grouping"]) for each in values["groups"]} >= {("plain", "SNR"), ("transfer", "SNR")}
    assert values["harm"]["harmed"] == []


def test_groups_are_also_made_of_fields_that_are_named(plan: Plan) -> None:
    told = [replace(each, about={"microphone": f"mic {each.id}"}) for each in SCORES]
    assert "| microphone" in write_results(plan, SYSTEMS, told, group_by=["microphone", "SNR"])
    assert "microphone" not in write_results(plan, SYSTEMS, told)
    with pytest.raises(ConfigError, match="weather"):
        write_results(plan, SYSTEMS, told, group_by=["weather"])


def test_noisy_alone_has_no_groups(plan: Plan) -> None:
    text = write_results(plan, SYSTEMS[:1], [each for each in SCORES if each.system == "noisy"])
    assert "By group" not in text
    assert "harm" not in text


def test_without_references_it_is_said_what_is_not_measured(plan: Plan) -> None:
    unknown = [replace(each, snr_db=None, metrics={"dnsmos_ovrl": 3.0}) for each in SCORES]
    text = write_results(replace(plan, blind=True, metrics=("dnsmos_ovrl",)), SYSTEMS, unknown)
    assert "No clean references: what a system did to the speech itself is not measured" in text
    assert "## SNR" not in text
    values = json.loads((plan.settings.output / "summary.json").read_text(encoding="utf-8"))
    assert values["snrs_db"] == []
    assert values["systems"]["plain"]["by_snr"] == {}


def test_recordings_without_a_reference_are_counted(plan: Plan) -> None:
    absent = [replace(each, metrics={}, missing={"stoi": NO_REFERENCE}) for each in SCORES if each.id == "a"]
    text = write_results(plan, SYSTEMS, [*absent, *(each for each in SCORES if each.id == "b")])
    assert "1 recordings have no clean reference, and so no score that needs one." in text
