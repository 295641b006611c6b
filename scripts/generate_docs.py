"""Writes the documents that are made from other files, or says with --check which of them are not up to date."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that it runs from anywhere, as the tests import it

from scripts.contract_readme import contract_readme  # noqa: E402 - see above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SCENARIOS: Final = ROOT / "scenarios"
WIDTH: Final = 118

SECTIONS: Final = frozenset({"readings", "accounts", "when", "respond", "dlr", "callbacks"})
WHOLE: Final = frozenset({"barred", "headers", "lognormal", "rateLimit", "signature"})
"""Keys that are shown as one, whatever stands below them."""
EVERYWHERE: Final = frozenset(
    {"name", "description", "rules", "default", "accounts.user", "accounts.apiKey", "dlr.after", "dlr.status"}
)
"""What needs no pointing out."""


class Entry(NamedTuple):
    """A built-in scenario, as the catalogue tells of it."""

    name: str
    description: str
    opening: tuple[str, ...]
    """The paragraphs of the comment that its file opens with."""
    features: frozenset[str]
    """The keys that its file shows: ``{"when.nth", "respond.fault: hang"}``."""

    @property
    def command(self) -> str:
        """What runs it."""
        return "panelsms-sandbox" if self.name == "default" else f"panelsms-sandbox --scenario {self.name}"


def read_entry(path: Path) -> Entry:
    """Return what the file of a scenario says of itself."""
    text = path.read_text("utf-8")
    tree = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - the plainest there is: every scalar is a text
    return Entry(
        tree["name"], tree["description"], tuple(_opening(text)), frozenset(_features(tree)) - EVERYWHERE
    )


def _opening(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    yield from "\n".join(lines).split("\n\n")


def _features(node: object, section: str = "") -> Iterator[str]:
    """Yield each key at or below *node*, with the section of the file that it stands in."""
    if isinstance(node, list):
        for below in node:
            yield from _features(below, section)
    elif isinstance(node, dict):
        for key, below in node.items():
            if key in SECTIONS:
                yield from _features(below, key)
                continue
            feature = f"{section}.{key}" if section else key
            yield f"{feature}: {below}" if key == "fault" else feature
            if key not in WHOLE:
                yield from _features(below, section)


def catalogue() -> str:
    """Return scenarios/README.md: each built-in scenario, what it is for, and what its file shows."""
    entries = sorted(map(read_entry, SCENARIOS.glob("*.yaml")), key=lambda entry: entry.name)
    shown = defaultdict(list)
    for entry in entries:
        for feature in entry.features:
            shown[feature].append(entry.name)
    parts = [
        "# Built-in scenarios",
        "<!-- Made by scripts/generate_docs.py from the files in this folder: edit those. -->",
        _paragraph(
            "Each is the story of something that happens to people who send SMS. Name one when you start the sandbox, "
            "or copy its file and make it a story of your own. Where a story takes hours, add `--clock virtual` and let "
            "them pass by `POST /_sandbox/clock/advance`."
        ),
        _table(
            ("scenario", "what happens"),
            [(f"[{entry.name}](#{entry.name})", entry.description) for entry in entries],
        ),
        *(part for entry in entries for part in _chapter(entry)),
        "## Where to find what",
        "Which file to copy from, for each key of scenario files:",
        _table(
            ("key", "files"),
            [(f"`{feature}`", ", ".join(map(_link, shown[feature]))) for feature in sorted(shown)],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _chapter(entry: Entry) -> Iterator[str]:
    yield f"## {entry.name}"
    yield from map(_paragraph, entry.opening)
    yield f"```sh\n{entry.command}\n```"
    yield f"The file: {_link(entry.name)}"


def _link(name: str) -> str:
    return f"[{name}]({name}.yaml)"


def _paragraph(text: str) -> str:
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows))


DOCUMENTS: Final[Mapping[str, Callable[[], str]]] = {
    "scenarios/README.md": catalogue,
    "contract/README.md": contract_readme,
}
"""Each generated document, and what makes it."""


def outdated() -> list[str]:
    """Return the documents that are not as they would be made now."""
    return [
        name
        for name, make in DOCUMENTS.items()
        if not (path := ROOT / name).exists() or path.read_text("utf-8") != make()
    ]


def main(arguments: list[str] | None = None) -> int:
    """Write what is out of date, or only name it; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, and exit with 1 when something is to be written"
    )
    is_check: bool = parser.parse_args(arguments).check
    names = outdated()
    for name in names:
        if is_check:
            print(f"{name} is out of date: run scripts/generate_docs.py", file=sys.stderr)
        else:
            (ROOT / name).write_text(DOCUMENTS[name](), "utf-8")
            print(f"{name} written")
    return 1 if is_check and names else 0


if __name__ == "__main__":
    sys.exit(main())
