"""The page of the contract: that it is up to date, and tells of everything that is there."""

import hmac
import re
from base64 import b64decode, b64encode

import pytest

from sandbox.contract import CONTRACT
from sandbox.core.model import Status
from sandbox.core.statuses import mermaid
from scripts.contract_readme import contract_readme

PAGE = CONTRACT / "README.md"


def block(language: str) -> str:
    """Return the one block of code in a language."""
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", contract_readme(), re.MULTILINE | re.DOTALL)
    return str(text)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == contract_readme(), "run: python scripts/generate_docs.py"


def test_every_file_of_the_contract_is_linked_and_nothing_else() -> None:
    links = {link for link in re.findall(r"\]\(([^)]*)\)", contract_readme()) if "://" not in link}
    there = {path.relative_to(CONTRACT).as_posix() for path in CONTRACT.rglob("*")}
    assert links == there - {"README.md"}


@pytest.mark.parametrize("status", Status)
def test_every_status_is_explained(status: Status) -> None:
    assert f"\n| `{status}` |" in contract_readme()


def test_the_diagram_is_that_of_the_table() -> None:
    assert block("mermaid") == mermaid()


def test_the_signature_shown_is_that_of_the_report_shown() -> None:
    report = block("json").removesuffix("\n")
    headers = dict(line.split(": ") for line in block("http").splitlines())
    (secret,) = re.findall(r"`whsec_([A-Za-z0-9+/=]+)`", contract_readme())
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{report}"
    expected = hmac.digest(b64decode(secret), signed.encode(), "sha256")
    assert headers["webhook-signature"] == f"v1,{b64encode(expected).decode()}"
