"""The page that explains the folder of the contract, made from what the folder and the code say.

Reads the contract, and writes nothing itself.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sandbox import signature
from sandbox.contract import CONTRACT, load_yaml, reading_rows
from sandbox.core.statuses import FINAL, MEANINGS, mermaid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PAGE: Final = """\
# The contract

What clients of the API are promised, as data that the sandbox itself is built on. This page is generated: run
`python scripts/generate_docs.py` after a change.

## What is here

{files}

The files of `examples` hold requests and their answers, which `panelsms-sandbox contract` replays against any server:

{examples}

## Statuses

The message states of SMPP v3.4 §5.2.28 in lower case. `scheduled` and `pending` are words of our own for what comes
before them, and are never reported.

{statuses}

These changes are legal. What stands in the box may become whatever an arrow from the box leads to, and an arrow to the box
leads to `pending`. A scenario may send any other text, in any order: clients have to survive that.

```mermaid
{diagram}```

## Delivery reports

A report goes out for each change of status when `confirmation` is true and there is a callback URL. It is a POST of one
JSON object, in UTF-8, whose members come in this order:

```json
{report}
```

{members}

Readings change how it looks:

{readings}

Any 2xx in time is success. Everything else is tried again: as often and after as long as the scenario says, with the same
body each time. So each report comes at least once, and a receiver has to survive doubles. The reports of one message
come in order, unless the scenario says otherwise.

### Signed reports

With a secret in the scenario (`callbacks: {{signature: {{secret: whsec_…}}}}`) each attempt is signed by the [Standard
Webhooks](https://www.standardwebhooks.com) specification. With the secret `{secret}`, the report
above, sent in the second that it tells of, has these headers:

```http
{headers}
```

- `webhook-id` is the same at each attempt of a callback. A receiver that keeps the ids it has seen knows a retry by it.
  A report that a scenario sends twice (`repeat: 2`) is two callbacks with an id each: only its content tells.
- `webhook-timestamp` is the real time of the attempt, whatever the sandbox's clock says, since receivers compare it with
  their own.
- The signature covers id, timestamp and body, with a full stop between them; the body of a GET is empty. A scenario's
  own `headers` cannot replace these three.
"""

_FILES: Final = {
    "openapi.yaml": "the endpoint and its reports as an OpenAPI document",
    "error-codes.yaml": "the 15 error codes: what the API reference says of each, when it is answered, how to provoke it",
    "readings.yaml": "where the API reference is silent or contradicts itself, and the ways to read it",
    "dlr.schema.json": "a delivery report, as a JSON Schema",
    "tells.yaml": "what tells from outside which reading a server follows",
    "examples": "exchanges, octet for octet where it matters",
}

_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - everybody knows it
"""The one that the specification's libraries show in their examples."""


def contract_readme() -> str:
    """Return ``contract/README.md``."""
    schema: dict[str, Any] = load_yaml(CONTRACT / "dlr.schema.json")
    report = json.dumps(schema["examples"][0], separators=(",", ":"))
    headers = signature.headers(
        _SECRET,
        webhook_id="msg_2f1c",
        at=datetime.fromisoformat(schema["examples"][0]["timestamp"]).astimezone(UTC),
        body=report.encode(),
    )
    return _PAGE.format(
        files=_table(("file", "holds"), ((f"[{name}]({name})", text) for name, text in _FILES.items())),
        examples=_table(
            ("file", "about"),
            (
                (f"[{path.name}](examples/{path.name})", _opening(path))
                for path in sorted((CONTRACT / "examples").glob("*.yaml"))
            ),
        ),
        statuses=_table(
            ("status", "", "meaning"),
            ((f"`{status}`", "final" if status in FINAL else "", text) for status, text in MEANINGS.items()),
        ),
        diagram=mermaid(),
        report=report,
        members=_table(
            ("member", "says"),
            ((f"`{name}`", member["description"]) for name, member in schema["properties"].items()),
        ),
        readings=_table(
            ("reading", "by default", "or"),
            (
                (f"`{row.id}`", row.meaning[row.default], *(row.meaning[other] for other in row.alternatives))
                for row in reading_rows()
                if row.subject == "reports"
            ),
        ),
        secret=_SECRET,
        headers="\n".join(f"{name}: {value}" for name, value in headers.items()),
    )


def _opening(path: Path) -> str:
    """Return what the first line of a file says of it."""
    return path.read_text("utf-8").partition("\n")[0].removeprefix("# ")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
