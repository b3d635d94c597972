"""Rules of this project that no ready linter knows, read from the sources' own trees."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = ("functions", "shared", "infra_cdk", "layers", "tests")
CLOUD = ("functions", "shared")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
# Settings come in through one module; the others here read what belongs to the runtime or to a library.
READ_THE_ENVIRONMENT = {
    "shared/socialflow/platform/settings.py": "the settings",
    "shared/socialflow/platform/observability.py": "the logger's level, needed before any settings are",
    "shared/socialflow/platform/entry.py": "the runtime's trace id",
    "shared/socialflow/ai/gateway.py": "LiteLLM reads its switches from there at import",
    "shared/socialflow/ai/starting.py": "whether the runtime is there to import LiteLLM ahead for",
}


def _sources(*parts: str) -> list[Path]:
    found = (path for part in parts for path in sorted((ROOT / part).rglob("*.py")))
    return [path for path in found if "node_modules" not in path.parts]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _environment(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "putenv"}:
            yield node
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (each for each in node.names if each.name in {"environ", "getenv"})


def test_what_runs_in_the_cloud_reads_the_environment_in_named_places_only() -> None:
    found = {_name(path) for path in _sources(*CLOUD) if list(_environment(_tree(path)))}
    assert found == set(READ_THE_ENVIRONMENT)


def test_nothing_in_the_cloud_is_done_at_import_but_defining() -> None:
    """No client is made and nothing is opened while a module is imported."""
    calls = {"client", "connect", "open", "urlopen", "get_secret_value", "resource"}
    found = [
        f"{_name(path)}:{node.lineno}"
        for path in _sources(*CLOUD)
        for statement in _tree(path).body
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and _called(node) in calls
    ]
    assert found == []


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _exceptions(path: Path) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT and re.search(r"#\s*(noqa|type:\s*ignore)", token.string):
            yield f"{_name(path)}:{token.start[0]} {token.string}"


def test_every_exception_from_a_linter_has_its_reason_beside_it() -> None:
    reasoned = re.compile(r"#\s*(noqa:\s*[A-Z0-9, ]+?|type:\s*ignore\[[\w, -]+\])\s*(#|-|—)\s*\w+")
    found = [each for path in _sources(*PARTS) for each in _exceptions(path) if not reasoned.search(each)]
    assert found == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    forbidden = {"skip", "skipif", "xfail", "importorskip", "skipIf", "expectedFailure"}
    found = [
        f"{_name(path)}:{node.lineno}"
        for path in _sources("tests")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr in forbidden
    ]
    assert found == []


@pytest.mark.parametrize("part", PARTS)
def test_files_and_functions_stay_within_one_readers_reach(part: str) -> None:
    long = []
    for path in _sources(part):
        lines = len(path.read_text().splitlines())
        if lines > LONGEST_FILE:
            long.append(f"{_name(path)}: {lines} lines")
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long.append(f"{_name(path)}:{node.lineno} {node.name}: {length} lines")
    assert long == []


def test_each_migration_has_a_number_of_its_own_and_says_what_it_does() -> None:
    for scope in ("control", "cell", "tenant"):
        names = sorted(path.name for path in (ROOT / "shared/socialflow/migrations" / scope).iterdir())
        assert all(re.fullmatch(r"\d{4}_[a-z]+(_[a-z]+)+\.sql", name) for name in names), names
        assert len({name[:4] for name in names}) == len(names)


def test_every_public_function_and_class_of_the_cloud_says_what_it_is_for() -> None:
    silent = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in _sources(*CLOUD)
        for node in _tree(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if not ast.get_docstring(node) and not _is_overload(node)
    ]
    assert silent == []


def _is_overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)
