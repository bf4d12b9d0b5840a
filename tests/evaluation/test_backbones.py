"""The table of backbones."""

from __future__ import annotations

import json

import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.backbones import BackboneCost, backbones_markdown, backbones_values, chosen, measure
from cmkt.models.catalogue import BACKBONES, Backbone
from cmkt.models.crn import CRN

COSTS = [
    BackboneCost("CRN", "default", {}, 16_000, 458_596, 29.74e6, 0.0123, True, 0.0375, None, 0.0249375),
    BackboneCost("BLSTM", "paper", {"hidden": 3}, 16_000, 999, 1.5e9, 2.0, False, None, None, None),
]


def test_all_are_chosen_in_both_sizes_where_there_are_two() -> None:
    pairs = [(backbone.name, size) for backbone, size in chosen([], None)]
    assert ("CRN", "default") in pairs
    assert ("CRN", "paper") in pairs
    assert ("BLSTM", "paper") not in pairs
    assert {name for name, _ in pairs} == {backbone.name for backbone in BACKBONES}


def test_names_and_a_size_choose() -> None:
    pairs = [(backbone.name, size) for backbone, size in chosen(["mpsenet", "CRN"], "paper")]
    assert pairs == [("MPSENet", "paper"), ("CRN", "paper")]


def test_a_backbone_whose_default_is_of_the_papers_size_is_in_either() -> None:
    assert [(backbone.name, size) for backbone, size in chosen(["BLSTM"], "paper")] == [("BLSTM", "default")]
    assert "BLSTM" in {backbone.name for backbone, _ in chosen([], "paper")}


def test_a_backbone_named_twice_is_measured_once() -> None:
    assert [backbone.name for backbone, _ in chosen(["CRN", "crn"], "default")] == ["CRN"]


def test_a_name_that_is_none_is_told_the_others() -> None:
    with pytest.raises(ConfigError, match=r"must be one of CRN, .*, but is Wavenet instead"):
        chosen(["CRN", "Wavenet"], None)


def test_a_backbone_is_measured_in_its_size() -> None:
    small = Backbone(CRN, {"channels": [4, 6], "hidden": 8})
    default, paper = measure([(small, "default"), (small, "paper")], seconds=0.3, runs=1)
    assert default.parameters == 458_596
    assert paper.parameters == sum(value.numel() for value in CRN(channels=(4, 6), hidden=8).parameters())
    assert paper.init_args == small.paper_args
    assert default.causal
    assert default.latency_seconds == pytest.approx(0.0375)
    assert default.past_seconds is None
    assert default.future_seconds == pytest.approx(398 / 16_000)
    assert default.macs_per_second > paper.macs_per_second > 0


def test_the_table_gives_units_and_says_what_was_measured() -> None:
    text = backbones_markdown(COSTS, seconds=2, runs=3)
    first, second = (line for line in text.splitlines() if line.startswith(("| CRN", "| BLSTM")))
    one, other = ([cell.strip() for cell in line.split("|")[1:-1]] for line in (first, second))
    assert one == ["CRN", "default", "459k", "29.7M", "0.0123", "yes", "37.5 ms", "all before, 24.9 ms after"]
    assert other == ["BLSTM", "paper", "999", "1.5G", "2", "no", "-", "all before, all after"]
    assert "2 s at once, median of 3" in text


def test_the_values_are_json() -> None:
    values = json.loads(json.dumps(backbones_values(COSTS, seconds=2, runs=3)))
    assert values["seconds"] == 2
    assert values["backbones"][1]["init_args"] == {"hidden": 3}
    assert values["backbones"][0]["past_seconds"] is None
