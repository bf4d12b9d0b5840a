"""The import rule of the parts: a module imports only lower levels or its own part, and there is no cycle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"
LEVELS = [
    {"errors", "types"},
    {"audio", "extras", "signal"},
    {"device", "spectral"},
    {"data", "models", "losses", "text", "metrics"},
    {"transfer", "inference"},
    {"evaluation", "recipes", "serving"},
    {"training", "testing"},
    {"cli", "__init__"},
    {"__main__"},
]
LEVEL = {part: level for level, parts in enumerate(LEVELS) for part in parts}
MODULES = sorted(SOURCE.glob("cmkt/**/*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def part_of(module: str) -> str:
    return module.split(".")[1]


def imported(path: Path, *, inside_functions: bool) -> Iterator[tuple[str, int]]:
    """Modules of the package that a file imports at run time, with the line; type-checking blocks are free."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending.extend(node.orelse)
            continue
        if not inside_functions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively; write the full module name"
            if node.module and node.module.split(".")[0] == "cmkt":
                yield node.module, node.lineno
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == "cmkt":
                    yield name.name, node.lineno
        pending.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_imports_only_lower_levels_or_its_own_part(path: Path) -> None:
    part = part_of(module_name(path))
    assert part in LEVEL, f"{path} lies in no known part"
    for target, line in imported(path, inside_functions=True):
        if target == "cmkt":
            assert LEVEL[part] >= LEVEL["cli"], f"{path}:{line} imports from the package root; name the defining module"
            continue
        other = part_of(target)
        assert other == part or LEVEL[other] < LEVEL[part], f"{path}:{line}: {part} must not import {other}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_imports_from_modules_not_from_parts(path: Path) -> None:
    for target, line in imported(path, inside_functions=True):
        home = SOURCE / Path(*target.split("."))
        assert target == "cmkt" or not home.is_dir(), f"{path}:{line}: name the defining module, not {target}"


def test_there_is_no_import_cycle() -> None:
    graph = {module_name(p): {t for t, _ in imported(p, inside_functions=False)} for p in MODULES}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in done:
            return
        for target in graph.get(module, ()):
            visit(target, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_inference_never_sees_transfer_or_text() -> None:
    for path in SOURCE.glob("cmkt/inference/*.py"):
        for target, line in imported(path, inside_functions=True):
            assert part_of(target) not in {"transfer", "text"}, f"{path}:{line}"
