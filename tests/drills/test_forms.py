"""An outcome as text, JSON, JUnit's XML and HTML: nothing is lost, and nothing that is told breaks the form."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import click
import jsonschema
import pytest

from sandbox.drills import forms, text
from sandbox.drills.outcome import Entry, Event, Finding, Outcome, Trial, Verdict, summary
from sandbox.drills.page import to_html

NASTY = '<script>alert(1)</script> & "quotes" ]]> {{ 7*7 }} \x00\x07\x1b[31m \ud800 \ufffe é'


def an_entry(name: str, *findings: Finding, group: str = "errors", says: str = NASTY) -> Entry:
    return Entry(
        Trial(name, group, f"title {says}", f"should {says}", f"why {says}"),
        events=(Event("called", f"event {says}"), Event("printed", f"one\ntwo {says}")),
        findings=findings,
        took_ms=1500,
        facts={"exit": 1, "calls": 2, "accepted": 0, "between": None},
    )


OUTCOME = Outcome(
    "sender",
    f"client {NASTY}",
    datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    (
        an_entry("good"),
        an_entry("remarked", Finding(Verdict.OK, f"remark {NASTY}")),
        an_entry("odd", Finding(Verdict.DOUBTFUL, f"doubt {NASTY}", f"reason {NASTY}")),
        an_entry(
            "bad",
            Finding(Verdict.FAILED, f"fault {NASTY}", f"reason {NASTY}"),
            Finding(Verdict.DOUBTFUL, "besides", "another reason"),
            group="transport",
        ),
        an_entry("worse", Finding(Verdict.FAILED, "the same fault", f"reason {NASTY}"), group="transport"),
        an_entry("left-out", Finding(Verdict.NOT_RUN, f"needs {NASTY}"), group=f"group {NASTY}"),
    ),
    (f"note {NASTY}",),
)
NOTHING = Outcome("receiver", "http://x", OUTCOME.began_at, ())


def test_an_outcome_in_a_line() -> None:
    assert summary(OUTCOME) == "2 ok, 1 not run, 1 doubtful, 2 FAILED"
    assert OUTCOME.has_failed
    assert not NOTHING.has_failed


# -- JSON ----------------------------------------------------------------------------------------------------


def test_json_holds_all_of_it() -> None:
    told = json.loads(forms.to_json(OUTCOME))
    assert (told["drill"], told["subject"], told["passed"]) == ("sender", OUTCOME.subject, False)
    assert told["counts"] == {"ok": 2, "notRun": 1, "doubtful": 1, "failed": 2}
    assert told["beganAt"] == "2026-03-04T05:06:07Z"
    bad = told["entries"][3]
    assert (bad["name"], bad["verdict"], bad["ms"]) == ("bad", "failed", 1500)
    assert bad["events"][0] == {"what": "called", "text": f"event {NASTY}"}
    assert [finding["verdict"] for finding in bad["findings"]] == ["failed", "doubtful"]
    assert bad["facts"] == {"exit": 1, "calls": 2, "accepted": 0, "between": None}


# -- JUnit ---------------------------------------------------------------------------------------------------


def junit(outcome: Outcome) -> ET.Element:
    return ET.fromstring(forms.to_junit(outcome).encode())  # noqa: S314 - our own


def test_junit_has_a_suite_for_each_group_and_a_case_for_each_entry() -> None:
    root = junit(OUTCOME)
    assert root.tag == "testsuites"
    assert [suite.get("name", "")[:16] for suite in root] == [
        "sender.errors",
        "sender.transport",
        "sender.group <sc",
    ]
    assert [case.get("name") for case in root.iter("testcase")] == [
        entry.trial.name for entry in OUTCOME.entries
    ]
    counts = ("tests", "failures", "errors", "skipped", "time")
    assert [root.get(name) for name in counts] == ["6", "2", "0", "1", "9.000"]
    assert [root[1].get(name) for name in counts] == ["2", "2", "0", "0", "3.000"]


def test_junit_fails_what_failed_skips_what_was_not_run_and_passes_the_rest() -> None:
    cases = {case.get("name"): case for case in junit(OUTCOME).iter("testcase")}
    assert {name for name, case in cases.items() if case.find("failure") is not None} == {"bad", "worse"}
    assert {name for name, case in cases.items() if case.find("skipped") is not None} == {"left-out"}
    failure = cases["bad"].find("failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.get("message", "").startswith("fault <script>alert(1)</script>")
    assert "It should: should <script>" in failure.text
    output = cases["odd"].findtext("system-out", "")
    assert "called: event <script>" in output
    assert "doubtful: doubt <script>" in output


def test_junit_holds_no_character_that_xml_forbids() -> None:
    written = forms.to_junit(OUTCOME)
    assert written.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    assert all(char in "\t\n\r" or char >= " " for char in written)
    assert "\ufffd\ufffd\ufffd[31m \ufffd \ufffd é" in written


def test_an_outcome_of_nothing_is_a_document_too() -> None:
    assert junit(NOTHING).get("tests") == "0"
    assert "Nothing was tried" in to_html(NOTHING)
    assert json.loads(forms.to_json(NOTHING))["passed"] is True


# -- HTML ----------------------------------------------------------------------------------------------------


class _Elements(HTMLParser):
    """Every element of a page with its attributes, its text, and whether what was opened was closed."""

    VOID = frozenset({"meta", "path", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> _Elements:
    elements = _Elements()
    elements.feed(page)
    elements.close()
    return elements


def test_html_escapes_all_that_it_tells() -> None:
    page = to_html(OUTCOME)
    elements = parsed(page)
    assert elements.open == []
    assert "script" not in {tag for tag, _ in elements.elements}
    assert page.count("<script") == 0
    assert "49" not in elements.text
    for words in (
        "client",
        "title",
        "should",
        "why",
        "event",
        "remark",
        "doubt",
        "fault",
        "reason",
        "needs",
        "note",
    ):
        assert (
            f'{words} <script>alert(1)</script> & "quotes" ]]> {{{{ 7*7 }}}} \ufffd\ufffd' in elements.text
        ), words


def test_html_loads_nothing_and_runs_nothing() -> None:
    page = to_html(OUTCOME)
    elements = parsed(page)
    assert not [
        (tag, name)
        for tag, attributes in elements.elements
        for name in attributes
        if name in {"src", "onclick", "style"}
    ]
    links = [attributes["href"] or "" for _, attributes in elements.elements if "href" in attributes]
    ids = {attributes["id"] for _, attributes in elements.elements if "id" in attributes}
    assert all(link.removeprefix("#") in ids for link in links)
    assert "url(" not in page
    assert "@import" not in page
    assert {tag for tag, _ in elements.elements}.isdisjoint({"link", "img", "iframe", "script", "form"})
    assert "default-src 'none'" in page


def test_html_shows_one_problem_once_however_many_have_it() -> None:
    elements = parsed(to_html(OUTCOME))
    assert elements.text.count("2 conditions") == 1
    assert [tag for tag, _ in elements.elements].count("article") == 3
    assert "2 of 5 went wrong" in elements.text
    problems, _, _ = elements.text.partition("All that was tried")
    assert "the same fault" in problems  # beside the other's words, for what they saw differs


def test_html_shows_an_entry_s_own_faults_together() -> None:
    faults = [Finding(Verdict.FAILED, "first fault"), Finding(Verdict.FAILED, "second fault")]
    page = to_html(Outcome("receiver", "http://x", OUTCOME.began_at, (an_entry("x", *faults, says="x"),)))
    elements = parsed(page)
    assert [tag for tag, _ in elements.elements].count("article") == 1
    assert elements.text.count("second fault") == 2


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([Verdict.OK, Verdict.OK], "All 2 went as they should"),
        ([Verdict.OK, Verdict.DOUBTFUL], "Nothing failed; 1 is worth a look"),
        ([Verdict.DOUBTFUL, Verdict.DOUBTFUL], "Nothing failed; 2 are worth a look"),
        ([Verdict.OK, Verdict.FAILED, Verdict.NOT_RUN], "1 of 2 went wrong"),
        ([Verdict.NOT_RUN], "Nothing was tried"),
    ],
)
def test_html_says_at_once_how_it_went(verdicts: list[Verdict], said: str) -> None:
    entries = tuple(
        an_entry(f"e{number}", Finding(verdict, "x"), says="x") for number, verdict in enumerate(verdicts)
    )
    page = to_html(Outcome("receiver", "http://x", OUTCOME.began_at, entries))
    assert said in " ".join(parsed(page).text.split())


# -- text ----------------------------------------------------------------------------------------------------


def test_text_is_a_table_of_what_a_sender_did_and_tells_what_went_wrong_in_full() -> None:
    lines = text.plain(OUTCOME).splitlines()
    assert lines[0].split() == ["verdict", "condition", "exit", "calls", "accepted", "between"]
    assert lines[1].split() == ["ok", "good", "1", "2", "0"]
    assert lines[2].split() == ["ok", "remarked", "1", "2", "0"]
    assert lines[3].split()[:2] == ["remark", "remark"]
    assert sum(line.startswith("FAILED") for line in lines) == 2
    assert lines[-1] == summary(OUTCOME)


def test_text_tells_a_receiver_s_steps_in_full() -> None:
    entry = an_entry("good", says="x")
    told = text.plain(Outcome("receiver", "http://x", OUTCOME.began_at, (entry,)))
    assert [line.strip() for line in told.splitlines()] == [
        "ok        good  title x",
        "called      event x",
        "printed     one | two x",
        "should      should x",
        "because     why x",
        "",
        "",
        "1 ok",
    ]


def test_text_says_why_a_step_was_not_run() -> None:
    entry = an_entry("left-out", Finding(Verdict.NOT_RUN, "It needs x"), says="x")
    lines = text.plain(Outcome("receiver", "http://x", OUTCOME.began_at, (entry,))).splitlines()
    assert [line.strip() for line in lines[:2]] == ["not run   left-out  title x", "remark      It needs x"]


def test_text_lets_nothing_through_that_moves_the_cursor() -> None:
    """What a program printed or a server answered; all else is our own."""
    trial = Trial("x", "errors", "x", "x", "x")
    entry = Entry(trial, events=(Event("printed", "\x1b[2J\rgone\x07\u202e\x9b"),))
    told = text.plain(Outcome("receiver", "http://x", OUTCOME.began_at, (entry,)))
    assert "printed     U+001B[2J | goneU+0007U+202EU+009B\n" in told


def test_colours_say_what_went_wrong() -> None:
    lines = [line for line in text.entry_lines("sender", OUTCOME.entries[3], width=100) if "FAILED" in line]
    assert all("\x1b[31m" in line for line in lines)
    assert click.unstyle(lines[0]).startswith("FAILED    bad")


# JUnit's XML as Jenkins and others read it, as far as it goes here.
_ORDER = {
    "testsuites": ["testsuite"],
    "testsuite": ["testcase"],
    "testcase": ["skipped", "failure", "system-out"],
}


def test_junit_has_no_element_that_readers_do_not_know() -> None:
    for element in junit(OUTCOME).iter():
        tags = [child.tag for child in element]
        assert tags == sorted(tags, key=_ORDER.get(element.tag, []).index)


def test_json_is_of_one_shape() -> None:
    shape = {
        "required": ["drill", "subject", "beganAt", "passed", "counts", "notes", "entries"],
        "additionalProperties": False,
        "properties": {
            "entries": {
                "items": {
                    "required": [
                        *("name", "group", "title", "verdict", "findings"),
                        *("should", "why", "events", "facts", "ms"),
                    ],
                    "properties": {"verdict": {"enum": ["ok", "notRun", "doubtful", "failed"]}},
                }
            },
            **dict.fromkeys(["drill", "subject", "beganAt", "passed", "counts", "notes"], True),
        },
    }
    jsonschema.validate(json.loads(forms.to_json(OUTCOME)), shape)
