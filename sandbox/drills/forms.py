"""An outcome for machines: JSON, and the XML that CI servers read as JUnit's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from sandbox.core.times import rfc3339
from sandbox.drills.outcome import Verdict

if TYPE_CHECKING:
    from sandbox.drills.outcome import Entry, Outcome


def to_json(outcome: Outcome) -> str:
    """Return an outcome as JSON, with a newline at its end."""
    return json.dumps(_json(outcome), indent=2, ensure_ascii=False) + "\n"


def _json(outcome: Outcome) -> dict[str, Any]:
    return {
        "drill": outcome.kind,
        "subject": outcome.subject,
        "beganAt": rfc3339(outcome.began_at),
        "passed": not outcome.has_failed,
        "counts": {_key(verdict): count for verdict, count in outcome.counts.items()},
        "notes": list(outcome.notes),
        "entries": [
            {
                "name": entry.trial.name,
                "group": entry.trial.group,
                "title": entry.trial.title,
                "verdict": _key(entry.verdict),
                "findings": [
                    {"verdict": _key(finding.verdict), "text": finding.text, "why": finding.why}
                    for finding in entry.findings
                ],
                "should": entry.trial.should,
                "why": entry.trial.why,
                "events": [{"what": event.what, "text": event.text} for event in entry.events],
                "facts": {_camel(name): fact for name, fact in entry.facts.items()},
                "ms": entry.took_ms,
            }
            for entry in outcome.entries
        ],
    }


def to_junit(outcome: Outcome) -> str:
    """Return an outcome as JUnit's XML: a suite for each group, a case for each entry.

    What is doubtful has not failed: it stands in the case's output, as CI servers know no third thing.
    """
    root = ET.Element("testsuites", name=f"panelsms-sandbox drill of {outcome.subject}")
    _count(root, outcome.entries)
    groups: dict[str, list[Entry]] = {}
    for entry in outcome.entries:
        groups.setdefault(entry.trial.group, []).append(entry)
    for group, entries in groups.items():
        suite = ET.SubElement(root, "testsuite", name=f"{outcome.kind}.{group}")
        _count(suite, entries)
        suite.set("timestamp", rfc3339(outcome.began_at).removesuffix("Z"))
        for entry in entries:
            _add_case(suite, outcome.kind, entry)
    ET.indent(root)
    return without_controls(f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, "unicode")}\n')


def _count(element: ET.Element, entries: tuple[Entry, ...] | list[Entry]) -> None:
    verdicts = [entry.verdict for entry in entries]
    element.set("tests", str(len(verdicts)))
    element.set("failures", str(verdicts.count(Verdict.FAILED)))
    element.set("errors", "0")
    element.set("skipped", str(verdicts.count(Verdict.NOT_RUN)))
    element.set("time", _seconds(sum(entry.took_ms for entry in entries)))


def _add_case(suite: ET.Element, kind: str, entry: Entry) -> None:
    trial = entry.trial
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"drill.{kind}.{trial.group}",
        name=trial.name,
        time=_seconds(entry.took_ms),
    )
    findings = "\n".join(
        f"{finding.verdict}: {finding.text} {finding.why}".rstrip() for finding in entry.findings
    )
    if entry.verdict is Verdict.NOT_RUN:
        ET.SubElement(case, "skipped", message=findings)
    elif entry.verdict is Verdict.FAILED:
        worst = next(finding for finding in entry.findings if finding.verdict is Verdict.FAILED)
        failure = ET.SubElement(case, "failure", message=worst.text, type="FAILED")
        failure.text = f"{findings}\nIt should: {trial.should}\nWhy: {trial.why}"
    events = "\n".join(f"{event.what}: {event.text}" for event in entry.events)
    output = "\n".join(filter(None, (trial.title, events, findings)))
    ET.SubElement(case, "system-out").text = output


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.3f}"


# XML 1.0 §2.2: all that is no character of a document, not even as a reference.
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def without_controls(text: str) -> str:
    """Return *text* with what neither XML nor HTML can hold replaced."""
    return _NO_XML.sub("\ufffd", text)


def _key(verdict: Verdict) -> str:
    """Return how JSON names a verdict: ``notRun``."""
    return _camel(verdict.lower())


def _camel(words: str) -> str:
    first, *rest = words.split(" ")
    return first + "".join(word.capitalize() for word in rest)
