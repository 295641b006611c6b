"""The public face: what can be imported from `sandbox`, and what that costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import sandbox
from sandbox import testing


def test_everything_public_is_exported_and_in_order() -> None:
    assert sandbox.__all__ == sorted(sandbox.__all__)
    assert set(sandbox.__all__) == {*vars(sandbox)["_HOMES"], "__version__"}
    for name in sandbox.__all__:
        assert getattr(sandbox, name) is not None
    assert testing.__all__ == sorted(testing.__all__)


def test_the_types_that_are_exported_are_those_that_are_made() -> None:
    for name in set(sandbox.__all__) - {"__version__"}:
        assert getattr(sandbox, name).__name__ == name


def test_what_does_not_exist_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'sandbox' has no attribute 'Sandbocks'"):
        getattr(sandbox, "Sandbocks")  # noqa: B009 - a name that mypy would refuse
    with pytest.raises(ImportError):
        exec("from sandbox import Sandbocks")  # noqa: S102 - likewise


def imported_by(program: str) -> set[str]:
    """Return the modules that a program leaves imported."""
    program += "\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_package_imports_nothing_else() -> None:
    ours = {name for name in imported_by("import sandbox") if name.startswith("sandbox")}
    assert ours == {"sandbox"}


def test_the_plugin_imports_the_package_when_it_is_asked_for_something() -> None:
    assert "sandbox" not in imported_by("import panelsms_sandbox_pytest")


def test_a_sandbox_elsewhere_needs_no_server_here() -> None:
    there = imported_by("from sandbox import Sandbox; Sandbox.at('http://127.0.0.1:7670').session('x')")
    assert there.isdisjoint({"uvicorn", "starlette", "aiohttp", "hypothesis", "sandbox.app", "pytest"})


def test_the_examples_of_its_use_are_typed() -> None:
    """mypy checks the file with all others: here it is only made sure that it is there to be checked."""
    assert (Path(__file__).parents[1] / "typing" / "api.py").is_file()
