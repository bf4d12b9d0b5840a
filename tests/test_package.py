"""The public surface, and what it costs to import."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import cmkt

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", cmkt.__all__)
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    assert (getattr(cmkt, name).__doc__ or "").strip()


def test_public_names_are_exactly_the_table_of_homes() -> None:
    assert sorted(cmkt.__all__) == sorted(cmkt._HOMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = cmkt.nothing_of_the_kind


def test_version_agrees_with_the_package_metadata() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == cmkt.__version__


def test_base_install_names_no_torch_and_torch_is_pinned_in_constraints_only() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    assert not any(line.startswith("torch") for line in project["dependencies"])
    assert "torch==" not in text
    assert "\ntorch==2.13.0\n" in (ROOT / "constraints.txt").read_text(encoding="utf-8")


BAN = """
import importlib, pkgutil, sys
class Ban:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "lightning", "lhotse", "safetensors"}:
            raise ImportError(f"{name} is banned here")
sys.meta_path.insert(0, Ban())
for part in sys.argv[1:]:
    package = importlib.import_module(part)
    for module in pkgutil.iter_modules(getattr(package, "__path__", [])):
        importlib.import_module(f"{part}.{module.name}")
"""


def test_parts_of_the_base_install_import_without_torch() -> None:
    parts = ["cmkt.errors", "cmkt.extras", "cmkt.types", "cmkt.audio", "cmkt.signal", "cmkt.metrics", "cmkt.cli"]
    result = subprocess.run([sys.executable, "-c", BAN, *parts], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_help_lists_every_command_and_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; from cmkt.cli.main import main; sys.exit(main(['--help']))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for command in ("demo", "prepare", "embed", "fit", "evaluate", "probe", "enhance", "export"):
        assert f"\n  {command} " in result.stdout
