"""What the documents say is so: each option, number, route and command is in README, and nothing else is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from sandbox.cli import COMMANDS
from sandbox.contract import CONTRACT, check_reading
from sandbox.core.match import Exact
from sandbox.core.scenario import Rule
from sandbox.sources import builtin
from sandbox.web.control import OPERATIONS
from tests.command_line import command_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "scripts/README.md",
    "scenarios/README.md",
    "contract/README.md",
)


def section(title: str) -> str:
    """Return what stands under a heading, up to the next heading of any level."""
    (text,) = re.findall(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", README, re.MULTILINE | re.DOTALL)
    return str(text)


def rows(title: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(cell: str) -> str:
    return cell.strip("`")


# -- options and commands ------------------------------------------------------------------------------------


def test_every_option_of_serve_stands_in_readme_with_its_environment_twin_and_default() -> None:
    documented = {
        code(option): (code(twin), code(default)) for option, twin, default, _ in rows("Options of `serve`")
    }
    assert documented == {
        option.opts[0]: (option.envvar, shown_default(option)) for option in serve_options()
    }


def serve_options() -> Iterator[click.Option]:
    for option in command_of("serve").params:
        if isinstance(option, click.Option):
            yield option


def shown_default(option: click.Option) -> str:
    return str(option.default) if option.show_default else ""


def test_every_command_stands_in_readme_and_in_the_order_of_the_help() -> None:
    assert [code(command) for command, _ in rows("Commands")] == [
        f"panelsms-sandbox {name}" for name in COMMANDS
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_option_that_a_document_names_is_one_of_ours(document: str) -> None:
    ours = {text for name in COMMANDS for option in command_of(name).params for text in option.opts}
    text = (ROOT / document).read_text("utf-8")
    named = set(re.findall(r"(?<![\w-])--[A-Za-z][A-Za-z-]*", text))
    assert named - ours <= {"--help", *OPTIONS_OF_OTHERS}


OPTIONS_OF_OTHERS = (
    "--fixtures",
    "--markers",
    "--json",
    "--data-urlencode",
    "--tag",
    "--rm",
    "--publish",
    "--add-host",
)


@pytest.mark.parametrize("reading", re.findall(r"--reading (\w+=\w+)", README))
def test_a_reading_that_readme_names_is_one(reading: str) -> None:
    check_reading(*reading.split("="))


# -- the magic destinations ----------------------------------------------------------------------------------


def magic_rules() -> dict[str, Rule]:
    """Return the rules of the scenario default that are for one destination each."""
    destinations = ((dict(rule.when.texts).get("to"), rule) for rule in builtin("default").scenario.rules)
    return {to.text: rule for to, rule in destinations if isinstance(to, Exact)}


def documented_numbers() -> dict[str, str]:
    """Return what README says of each destination; ``… to …`` stands for each number between."""
    said = {}
    for destinations, text in rows("Numbers that misbehave"):
        first, *last = re.findall(r"\+[0-9]+", destinations)
        for number in range(int(first), int(last[0] if last else first) + 1):
            said[f"+{number}"] = text
    return said


def test_every_magic_destination_stands_in_readme() -> None:
    assert set(documented_numbers()) == set(magic_rules())


@pytest.mark.parametrize(
    ("destination", "rule"), magic_rules().items(), ids=lambda value: getattr(value, "name", "")
)
def test_readme_says_what_a_magic_destination_does(destination: str, rule: Rule) -> None:
    said = documented_numbers()[destination]
    respond = rule.respond
    if respond is None:
        # A message that expires does so by its validity, whatever its timeline.
        statuses = {step.status for step in rule.timeline or ()} if rule.name != "expired" else {"expired"}
        assert set(re.findall("`([a-z]+)`", said)) == statuses
    elif respond.error is not None:
        assert "`ERROR_1` to `ERROR_15`" in said
        assert destination == f"+1500555{respond.error:04}"
    elif respond.status is not None:
        assert f"HTTP {respond.status}" in said
        assert ("Retry-After" in said) == ("Retry-After" in respond.headers)
    else:
        assert respond.delay is not None or respond.fault in re.findall("[a-z]+", said)


def test_the_credentials_that_are_refused_stand_in_readme() -> None:
    assert "`disabled@example.com` gets `ERROR_1`" in section("Numbers that misbehave")
    assert "the key `invalid` gets `ERROR_2`" in section("Numbers that misbehave")


# -- the control API and reports -----------------------------------------------------------------------------


def test_every_route_of_the_control_api_stands_in_readme() -> None:
    offered = {f"{each.method} {each.path.replace(':path', '')}" for each in OPERATIONS}
    documented = [code(route) for route, _ in rows("The control API")]
    assert sorted(documented) == sorted(offered)


def test_the_report_that_readme_shows_is_one() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```", section("Delivery reports"), re.MULTILINE | re.DOTALL)
    schema = json.loads((CONTRACT / "dlr.schema.json").read_text("utf-8"))
    report = json.loads(shown)
    jsonschema.validate(report, schema, format_checker=jsonschema.FormatChecker())
    assert list(report) == list(schema["properties"])


# -- the documents themselves --------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_is_there(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    linked = {target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target}
    named = set(re.findall(r"`((?:scripts|contract|benchmarks|scenarios|\.ci)/[\w./-]+)", text))
    assert [name for name in linked if not ((ROOT / document).parent / name).exists()] == []
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(
        re.fullmatch(r"\[[0-9]+\.[0-9]+\.[0-9]+\] - [0-9]{4}-[0-9]{2}-[0-9]{2}", one) for one in versions[1:]
    )
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= kinds
