"""Bodies with placeholders: names and filters, and nothing that could be a program."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.model import Unreadable, Value
from sandbox.core.template import FILTERS, faults, render

VALUES: dict[str, Value | None] = {
    "to": "+34600",
    "message": ' <Ñ & "q">\n',
    "udh": Unreadable("not UTF-8"),
    "dcs": None,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("no placeholder", "no placeholder"),
        ("{{ to }}", "+34600"),
        ("{{to}}{{  to  }}", "+34600+34600"),
        ("a {{ to | length }} b", "a 6 b"),
        ("{{ message | trim | lower }}", '<ñ & "q">'),
        ("{{ message | trim | upper }}", '<Ñ & "Q">'),
        ("{{ message | xml }}", " &lt;Ñ &amp; &quot;q&quot;&gt;\n"),
        ("{{ message | json }}", '" <Ñ & \\"q\\">\\n"'),
        ("{{ to | urlencode }}", "%2B34600"),
        ("[{{ udh }}{{ dcs }}{{ senderId }}]", "[]"),
        ('{"a": {"to": "{{ to }}"}}', '{"a": {"to": "+34600"}}'),
        ("{ to } }} {", "{ to } }} {"),
    ],
)
def test_placeholders_become_values(template: str, text: str) -> None:
    assert not list(faults(template, ["to", "message", "udh", "dcs", "senderId"]))
    assert render(template, VALUES) == text


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ to", "{{ has no }} after it"),
        ("{{", "{{ has no }} after it"),
        ("{{ }}", "{{ }} is not of the form"),
        ("{{}}", "{{}} is not of the form"),
        ("{{ 7 * 7 }}", "{{ 7 * 7 }} is not of the form"),
        ("{{ to.__class__ }}", "{{ to.__class__ }} is not of the form"),
        ("{{ to | }}", "{{ to | }} is not of the form"),
        ("{{ to | join(',') }}", "{{ to | join(',') }} is not of the form"),
        ("{{ ñ }}", "{{ U+00F1 }} is not of the form"),
        ("{{ tto }}", "there is nothing called tto to put here"),
        ("{{ to | uper }}", "there is no filter uper"),
        ("{% for x in y %}", "{% is not read"),
    ],
)
def test_anything_else_is_a_fault(template: str, fault: str) -> None:
    (found,) = faults(template, ["to"])
    assert found.sentence.startswith(fault)


def test_every_fault_is_found() -> None:
    sentences = [fault.sentence for fault in faults("{% x %}{{ a }}{{ to | b | c }}{{", ["to"])]
    assert len(sentences) == 5


def test_a_fault_of_one_word_says_what_could_stand_there() -> None:
    (name,) = faults("{{ tto }}", ["to"])
    (filter_,) = faults("{{ to | uper }}", ["to"])
    assert (name.word, list(name.choices)) == ("tto", ["to"])
    assert (filter_.word, list(filter_.choices)) == ("uper", list(FILTERS))


@given(st.text())
def test_what_a_value_holds_is_never_read_as_a_placeholder(value: str) -> None:
    assert render("{{ to }}", {"to": value}) == value
    assert json.loads(render("{{ to | json }}", {"to": value})) == value


@given(st.text(st.sampled_from("{}|%to upper"), max_size=30))
def test_a_template_without_faults_renders(template: str) -> None:
    if not list(faults(template, ["to"])):
        assert "{{" not in render(template, {"to": "x"})
