"""The documents that are made from other files are as they would be made now."""

from pathlib import Path

import pytest

from sandbox.sources import builtin, builtin_names
from scripts import generate_docs
from scripts.generate_docs import DOCUMENTS, ROOT, catalogue, main, outdated


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which no document has been made yet."""
    for name in DOCUMENTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(generate_docs, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_generated_document_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == DOCUMENTS[name]()


def test_the_catalogue_tells_of_every_scenario() -> None:
    text = catalogue()
    for name in builtin_names():
        assert f"\n## {name}\n" in text
        assert f"| [{name}](#{name}) | {builtin(name).scenario.description} |\n" in text
        assert f"({name}.yaml)" in text
        assert name == "default" or f"\npanelsms-sandbox --scenario {name}\n" in text


def test_the_catalogue_says_where_each_key_is_shown() -> None:
    assert "\n| `callbacks.concurrency` | [callback-down](callback-down.yaml) |\n" in catalogue()


def test_a_check_names_what_is_out_of_date_and_writes_nothing(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "scenarios/README.md").write_text("of yesterday", "utf-8")
    assert main(["--check"]) == 1
    assert "scenarios/README.md is out of date" in capsys.readouterr().err
    assert (checkout / "scenarios/README.md").read_text("utf-8") == "of yesterday"


@pytest.mark.usefixtures("checkout")
def test_what_is_written_is_up_to_date() -> None:
    assert outdated() == list(DOCUMENTS)
    assert main([]) == 0
    assert outdated() == []
    assert main(["--check"]) == 0
