"""The shape of the project: what may import what, who may read the clock, what modules are called."""

import ast
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import sandbox
from tests.command_line import unmeasured

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sandbox"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
CORE = sorted(name for name in MODULES if name.startswith("sandbox.core."))

# Values only: called as the core calls them, none of these opens, waits, draws or reads a clock.
VALUE_MODULES = {
    "__future__",
    "bisect",
    "calendar",
    "collections",
    "collections.abc",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "html",
    "itertools",
    "json",
    "json.encoder",
    "math",
    "operator",
    "re",
    "types",
    "typing",
    "urllib.parse",
    "zoneinfo",
}

# Each library that is not Python's own, and the modules that may know of it.
KNOWN_BY = {
    "aiohttp": {"sandbox.carrier"},
    "yarl": {"sandbox.carrier"},
    "uvicorn": {"sandbox.protocol", "sandbox.serving"},
    "python_multipart": {"sandbox.web.wire"},
    "re2": {"sandbox.patterns"},
    "click": {"sandbox.cli", "sandbox.commands", "sandbox.drills.text"},
    "starlette": {
        "sandbox.app",
        "sandbox.drills.switchboard",
        "sandbox.embedded",
        "sandbox.examples",
        "sandbox.kit.receiver",
        "sandbox.protocol",
        "sandbox.serving",
        "sandbox.web",
    },
    "yaml": {"sandbox.contract", "sandbox.yaml_nodes", "sandbox.kit.choosing"},
    "standardwebhooks": {"sandbox.signature"},
    "watchfiles": {"sandbox.watching"},
    "prometheus_client": {"sandbox.web.control.metrics"},
    "jinja2": {"sandbox.web.inbox", "sandbox.drills.page"},
    "markupsafe": {"sandbox.web.inbox"},
    "pytest": {"sandbox.pytest_plugin"},
    "hypothesis": {"sandbox.testing"},
}

# Who must not know of whom, beside the core: one way from the faces to the values.
MUST_NOT_IMPORT = {
    "sandbox.store": {
        "sandbox.engine",
        "sandbox.dispatcher",
        "sandbox.web",
        "sandbox.app",
        "sandbox.sessions",
    },
    "sandbox.store.memory": {"sandbox.core.scenario"},
    "sandbox.clock": {"sandbox.agenda", "sandbox.engine", "sandbox.dispatcher", "sandbox.web", "sandbox.app"},
    "sandbox.places": {"sandbox.dispatcher", "sandbox.engine", "sandbox.web", "sandbox.app"},
    "sandbox.signature": {
        "sandbox.dispatcher",
        "sandbox.carrier",
        "sandbox.engine",
        "sandbox.web",
        "sandbox.app",
    },
    "sandbox.agenda": {"sandbox.engine", "sandbox.dispatcher", "sandbox.web", "sandbox.app", "sandbox.core"},
    "sandbox.egress": {
        "sandbox.engine",
        "sandbox.dispatcher",
        "sandbox.carrier",
        "sandbox.web",
        "sandbox.app",
    },
    "sandbox.carrier": {
        "sandbox.engine",
        "sandbox.dispatcher",
        "sandbox.web",
        "sandbox.app",
        "sandbox.agenda",
    },
    "sandbox.dispatcher": {
        "sandbox.engine",
        "sandbox.timelines",
        "sandbox.web",
        "sandbox.app",
        "sandbox.store",
    },
    "sandbox.feed": {
        "sandbox.engine",
        "sandbox.dispatcher",
        "sandbox.web",
        "sandbox.app",
        "sandbox.sessions",
    },
    "sandbox.sources": {"sandbox.engine", "sandbox.web", "sandbox.app", "sandbox.sessions"},
    "sandbox.sessions": {"sandbox.web", "sandbox.app", "sandbox.carrier", "sandbox.log"},
    "sandbox.watching": {"sandbox.engine", "sandbox.sessions", "sandbox.web", "sandbox.app"},
    "sandbox.timelines": {
        "sandbox.engine",
        "sandbox.sessions",
        "sandbox.web",
        "sandbox.app",
        "sandbox.carrier",
        "sandbox.core.decide",
        "sandbox.core.checks",
    },
    "sandbox.engine": {
        "sandbox.sessions",
        "sandbox.sources",
        "sandbox.web",
        "sandbox.app",
        "sandbox.carrier",
        "sandbox.contract",
        "sandbox.config",
    },
    "sandbox.log": {"sandbox.engine", "sandbox.web", "sandbox.app"},
    "sandbox.serving": {"sandbox.engine", "sandbox.web", "sandbox.app", "sandbox.core"},
    "sandbox.protocol": {"sandbox.engine", "sandbox.web", "sandbox.app", "sandbox.core", "sandbox.serving"},
    "sandbox.connection": {
        "sandbox.protocol",
        "sandbox.serving",
        "sandbox.web",
        "sandbox.app",
        "sandbox.core",
    },
    "sandbox.web.wire": {"sandbox.engine", "sandbox.web.send", "sandbox.web.control"},
    "sandbox.web.records": {"sandbox.engine", "sandbox.web.send", "sandbox.web.control", "sandbox.web.wire"},
    "sandbox.web.problems": {"sandbox.engine", "sandbox.web.send", "sandbox.web.control"},
    "sandbox.web.send": {"sandbox.web.control", "sandbox.app", "sandbox.commands"},
    "sandbox.web.control": {"sandbox.web.send", "sandbox.app", "sandbox.commands"},
    "sandbox.contract": {"sandbox.engine", "sandbox.web", "sandbox.app"},
    "sandbox.app": {"sandbox.cli", "sandbox.commands"},
}

# What would make one run differ from another, and the modules that may ask for it.
IMPURE = {
    "time": {"sandbox.clock"},
    "random": set[str](),
    "secrets": set[str](),
    "uuid": set[str](),
}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Return every module that *module* imports, at whatever place, for types or at run time."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            assert node.module is not None
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(name if name in MODULES else node.module for name in names)
    return frozenset(found)


def belongs(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def dotted(node: ast.expr) -> str:
    """Return an attribute as it is written: ``datetime.now``."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@cache
def attributes(module: str) -> frozenset[str]:
    return frozenset(dotted(node) for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute))


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_the_core_and_values(module: str) -> None:
    strange = {
        name for name in imports(module) if not belongs(name, {"sandbox.core"}) and name not in VALUE_MODULES
    }
    assert strange == set()


@pytest.mark.parametrize("module", CORE)
def test_the_core_asks_nobody_what_time_it_is_and_opens_nothing(module: str) -> None:
    forbidden = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    assert forbidden.isdisjoint(attributes(module))
    called = {
        node.func.id
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called.isdisjoint({"open", "print", "input", "exec", "eval", "__import__"})
    assert not any(
        isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global) for node in ast.walk(tree(module))
    )


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_clock_alone_reads_the_time(module: str) -> None:
    readings = {
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "datetime.datetime.now",
        "asyncio.sleep",
    }
    assert module == "sandbox.clock" or readings.isdisjoint(attributes(module))
    for name, knowing in IMPURE.items():
        assert name not in imports(module) or module in knowing


@pytest.mark.parametrize("module", sorted(MODULES))
def test_libraries_are_known_where_they_must_be_and_nowhere_else(module: str) -> None:
    for name in imports(module):
        library = name.partition(".")[0]
        if library in KNOWN_BY:
            assert belongs(module, KNOWN_BY[library]), f"{module} imports {name}"
        else:
            assert library == "sandbox" or library in sys.stdlib_module_names, f"{module} imports {name}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_one_way(module: str) -> None:
    for subject, strangers in MUST_NOT_IMPORT.items():
        if belongs(module, {subject}):
            assert not [name for name in imports(module) if belongs(name, strangers)]


def test_what_is_told_of_imports_is_about_modules_that_exist() -> None:
    """So that a module that gets another name does not slip out of the rules."""
    told = {*MUST_NOT_IMPORT, *set().union(*MUST_NOT_IMPORT.values(), *KNOWN_BY.values())}
    assert sorted(name for name in told if name not in MODULES) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_are_named_for_what_they_know(module: str) -> None:
    assert {"utils", "util", "helpers", "helper", "common", "manager", "misc"}.isdisjoint(module.split("."))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_says_in_a_few_lines_what_it_holds(module: str) -> None:
    docstring = ast.get_docstring(tree(module))
    assert docstring
    assert docstring[0].isupper() or docstring.startswith(("``", "panelsms-sandbox"))
    opening = docstring.partition("::")[0]
    assert len(opening.splitlines()) <= 8


@pytest.mark.parametrize("module", sorted(MODULES))
def test_what_is_exported_exists_and_is_in_order(module: str) -> None:
    exported = getattr(import_module(module), "__all__", None) if module != "sandbox.__main__" else None
    if exported is not None:
        assert list(exported) == sorted(exported)
        assert all(hasattr(import_module(module), name) for name in exported)


def test_the_package_exports_all_of_its_public_names() -> None:
    public = {name for name in vars(sandbox) if not name.startswith("_") and f"sandbox.{name}" not in MODULES}
    assert public <= set(sandbox.__all__)
    assert "__version__" in sandbox.__all__


def test_serving_imports_nothing_that_only_some_runs_need() -> None:
    program = (
        "import sys, sandbox.app, sandbox.serving\n"
        "late = {'aiohttp', 'yarl', 'sqlite3', 're2', 'httpx', 'hypothesis', 'jsonschema', 'standardwebhooks',\n"
        "        'prometheus_client', 'jinja2', 'sandbox.examples', 'sandbox.web.control', 'sandbox.web.inbox'}\n"
        "print(*sorted(late & set(sys.modules)))"
    )
    answer = subprocess.run(
        # What measures imports some of them itself.
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=unmeasured(),
    )
    assert answer.stdout.strip() == ""
