"""README's examples, run as their readers run them against a server of their own.

A fenced block whose info string is a language and ``run`` is run; it prints the ``text`` block that follows
it, but for times and generated transaction ids.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.app import create_app
from sandbox.core.scenario import Step
from sandbox.serving import serving
from sandbox.sources import builtin

ROOT = Path(__file__).parent.parent
ADDRESS = "http://127.0.0.1:7670"
"""Where README's readers have their sandbox."""
WITHIN_S = 60

RUN_BY = {
    "sh": ("bash", "-euo", "pipefail"),
    "php": ("php",),
    "python": (sys.executable, "-"),
    "javascript": ("node", "--input-type=module"),
}
"""What runs each language, given the program on stdin."""


@dataclass(frozen=True, slots=True)
class Example:
    language: str
    code: str
    prints: str | None


_BLOCK = re.compile(r"^```(\w+) run\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def examples() -> list[Example]:
    return [Example(*match.groups()) for match in _BLOCK.finditer((ROOT / "README.md").read_text("utf-8"))]


@pytest.fixture
def url() -> Iterator[str]:
    """A server as README's readers start it, but that its messages are delivered at once."""
    at_once = (Step(after=timedelta(), status="delivered"),)
    with serving(create_app(scenario=replace(builtin("default").scenario, timeline=at_once))) as address:
        yield address


def as_here(code: str, url: str) -> str:
    """Return a block with this run's address, and with its command from this environment."""
    return code.replace(ADDRESS, url).replace(".venv/bin/panelsms-sandbox", f"{sys.executable} -m sandbox")


def comparable(text: str) -> str:
    """Return what was printed without what differs from run to run."""
    text = re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "(a time)", text)
    return re.sub(r"(?<![0-9])10000[0-9]{2}(?![0-9])", "(an id)", text)


def test_readme_has_examples_in_every_language() -> None:
    assert {example.language for example in examples()} == set(RUN_BY)


@pytest.mark.parametrize(
    "example", examples(), ids=lambda example: f"{example.language}: {example.code[:40]!r}"
)
def test_an_example_of_readme_prints_what_readme_says(example: Example, url: str) -> None:
    program = RUN_BY[example.language]
    for needed in (program[0], "curl") if "curl " in example.code else program[:1]:
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed here; scripts/test installs it when it may")
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = subprocess.run(
        program,
        input=as_here(example.code, url),
        cwd=ROOT,
        env={**environment, "PANELSMS_SANDBOX_URL": url},
        capture_output=True,
        encoding="utf-8",
        timeout=WITHIN_S,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    if example.prints is None:
        assert process.stdout
    else:
        assert comparable(process.stdout.strip()) == comparable(example.prints.strip())
