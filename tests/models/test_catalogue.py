"""Every backbone is in the catalogue, and the configs are those of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import cmkt.models
from cmkt.models.catalogue import BACKBONES, Backbone

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def model_in(path: Path) -> Any:
    """`class_path` and `init_args` in a config."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))["model"]["model"]


def test_every_file_with_a_backbone_is_listed_once() -> None:
    files = sorted(path for path in Path(cmkt.models.__path__[0]).glob("*.py") if "init_args" in path.read_text())
    assert sorted(backbone.build.__module__.rpartition(".")[2] for backbone in BACKBONES) == [p.stem for p in files]


@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda backbone: backbone.name)
def test_a_backbone_has_its_configs(backbone: Backbone) -> None:
    file, class_path = backbone.build.__module__.rpartition(".")[2], f"{backbone.build.__module__}.{backbone.name}"
    small = CONFIGS / f"{file}.yaml" if file != "dpcrn" else CONFIGS / "shipped" / "dpcrn.yaml"
    assert model_in(small)["class_path"] == class_path
    if backbone.paper_args is not None:
        wanted = {"class_path": class_path, "init_args": backbone.paper_args}
        assert model_in(CONFIGS / "paper_sized" / f"{file}.yaml") == wanted
