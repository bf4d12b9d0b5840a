from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmkt.evaluation.report.reproduce import evaluation_recipe, run_configs, run_recipe
from cmkt.evaluation.report.sources import Evaluation, Run, read_evaluation
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN


def test_an_evaluation_tells_its_command_versions_and_fingerprints(evaluation: Evaluation) -> None:
    recipe = evaluation_recipe(evaluation)
    folder = evaluation.path
    assert recipe.command == (
        f"cmkt evaluate --model {folder}/plain {folder}/transfer --pairs {folder}/list.jsonl --seed 0 --words"
        " --output evaluation"
    )
    facts = dict(recipe.facts)
    assert facts["data fingerprint"] == "data"
    assert facts["versions"] == "cmkt 0.1.0, python 3.11"
    assert facts["weights of plain"] == "weights-plain"
    assert facts["recogniser"] == "made"


@pytest.mark.parametrize(
    ("test_set", "told"),
    [
        ({"kind": "prepared", "path": "a b", "limit": 3}, "--data 'a b' --snr -5 5 --seed 0 --limit 3"),
        ({"kind": "folders", "path": "n", "clean": "c"}, "--noisy n --clean c"),
        ({"kind": "folders", "path": "n", "clean": None}, "--noisy n --seed"),
        ({}, "--data DATA --snr -5 5"),
    ],
)
def test_every_kind_of_test_set_has_its_options(
    test_set: dict[str, object], told: str, evaluated: Path, tmp_path: Path
) -> None:
    (tmp_path / "scores.jsonl").write_bytes((evaluated / "scores.jsonl").read_bytes())
    systems = {"plain": {"kind": "enhanced", "source": "theirs"}}
    (tmp_path / "evaluation.json").write_text(json.dumps({"test_set": test_set, "systems": systems}))
    command = evaluation_recipe(read_evaluation(tmp_path)).command
    assert told in command
    assert "--model transfer --enhanced plain=theirs" in command


def test_a_run_tells_its_command_and_what_its_enhancer_says(tmp_path: Path, crashed: Path) -> None:
    save_model(CRN(channels=(4, 8), hidden=16), tmp_path / "run" / "enhancer", extra={"commit": "abc", "seed": 1})
    recipe = run_recipe(Run("run", tmp_path / "run"))
    assert recipe.command == f"cmkt fit --config {tmp_path}/run/config.yaml --output run-again"
    assert dict(recipe.facts) == {"commit": "abc", "seed": "1"}
    assert dict(run_recipe(Run("crashed", crashed)).facts) == {"enhancer": "none: training did not end"}


def test_configurations_are_kept_as_written_and_damaged_ones_say_nothing(tmp_path: Path, crashed: Path) -> None:
    for name, content in (("damaged", b"a: ["), ("list", b"- 1"), ("binary", b"\xff\xfe")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_bytes(content)
    runs = [Run("crashed", crashed), *(Run(name, tmp_path / name) for name in ("damaged", "list", "binary", "none"))]
    whole, damaged, listed, binary, none = run_configs(runs)
    assert whole.text.startswith("seed_everything: 1")
    assert whole.values["model"] == {"transfer": None}
    assert (damaged.text, damaged.values) == ("a: [", {})
    assert listed.values == binary.values == none.values == {}
    assert binary.text == none.text == ""
