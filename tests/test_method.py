"""Every function that docs/method.md maps a symbol to is there, under the name that stands in the table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "cmkt"
NAME = re.compile(r"`((?:[a-z_]+\.)*[a-z_]*\.?[A-Z]?[A-Za-z_]+(?:\.[a-z_]+)*)`")


def table_rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "method.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if line.startswith("| ")]


def functions() -> set[str]:
    """The names in the columns headed `function`."""
    found: set[str] = set()
    column: int | None = None
    width = 0
    for row in table_rows():
        if "function" in row:
            column, width = row.index("function"), len(row)
        elif len(row) != width:
            column = None
        elif column is not None:
            found |= set(NAME.findall(row[column]))
    return found


def defined(path: Path) -> dict[str, set[str]]:
    """The functions and classes of a file, each class with its methods and attributes."""
    names: dict[str, set[str]] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names[node.name] = set()
        elif isinstance(node, ast.ClassDef):
            names[node.name] = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
    return names


def homes(name: str) -> list[Path]:
    """The files that a name may be in: `transfer` where no part is named, wherever a class stands alone."""
    parts = name.split(".")
    lower = [part for part in parts if part[0].islower()]
    for count in range(len(lower), 0, -1):
        inner = Path(*lower[:count]).with_suffix(".py")
        if found := [path for path in (SOURCE / "transfer" / inner, SOURCE / inner) if path.is_file()]:
            return found
    return [*sorted((SOURCE / "transfer").glob("*.py")), SOURCE / "types.py"]


def is_there(name: str) -> bool:
    for path in homes(name):
        rest = name.split(path.stem + ".", 1)[-1].split(".") if path.stem in name.split(".") else name.split(".")
        names = defined(path)
        if rest[0] in names and (len(rest) == 1 or rest[1] in names[rest[0]]):
            return True
    return False


def test_the_tables_name_functions() -> None:
    found = functions()
    assert {"tap.Tap", "objective.combine", "shift.Shift.at", "text.pooling.units_of"} <= found
    assert len(found) > 40


@pytest.mark.parametrize("name", sorted(functions()))
def test_every_function_of_the_tables_exists(name: str) -> None:
    assert is_there(name), f"docs/method.md names `{name}`, but there is no such function"


@pytest.mark.parametrize("name", ["tap.Tip", "objective.combined", "shift.Shift.amount", "TransferTask.forwards"])
def test_a_name_that_is_not_there_would_be_noticed(name: str) -> None:
    assert not is_there(name)
