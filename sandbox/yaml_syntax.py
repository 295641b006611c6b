"""What a YAML parser's complaint means, in the words of whoever wrote the file.

Knows the sentences of libyaml, through which PyYAML parses; any other is told as it is.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sandbox.core.spelling import spell


class Diagnosis(NamedTuple):
    """What is wrong with a file's YAML."""

    sentence: str
    is_at_start: bool = False
    """Whether it is wrong where the list, text or mapping begins, and not where the parser gave up."""


class _Complaint(NamedTuple):
    """Part of the parser's words on a problem, part of those on what it was reading, and what they mean."""

    problem: str
    context: str
    sentence: str
    is_at_start: bool = False


def diagnose(problem: str, context: str, *, found: str, start_line: int) -> Diagnosis:
    """Return what a complaint means.

    Args:
        problem: the parser's words: ``could not find expected ':'``.
        context: what it was reading: ``while scanning a simple key``.
        found: the character at which it gave up; empty at the end of the file.
        start_line: where what it was reading begins, from 1.
    """
    if found == "\t":
        return Diagnosis("a tab cannot stand here: indent by blanks")
    for complaint in _COMPLAINTS if found else (*_AT_THE_END, *_COMPLAINTS):
        if complaint.problem in problem and complaint.context in context:
            sentence = complaint.sentence.format(found=spell(found or " "), line=start_line)
            return Diagnosis(sentence, complaint.is_at_start)
    return Diagnosis(f"this is not YAML: {f'{context}: ' if context else ''}{problem}")


_AT_THE_END: Final = (
    _Complaint("", "flow sequence", "this [ is never closed", is_at_start=True),
    _Complaint("", "flow mapping", "this {{ is never closed", is_at_start=True),
    _Complaint("", "flow node", "the file ends where a value is wanted, and a [ or {{ is never closed"),
)
_COMPLAINTS: Final = (
    _Complaint("unexpected end of stream", "quoted scalar", "this quote is never closed", is_at_start=True),
    _Complaint(
        "unknown escape character",
        "quoted scalar",
        "there is no such escape: write \\\\ for a backslash, or put the text in single quotes",
    ),
    _Complaint(
        "invalid Unicode character escape code",
        "",
        "there is no such character: write it as it is, or as \\U and 8 hex digits",
    ),
    _Complaint(
        "could not find expected ':'",
        "simple key",
        "this is no key and its value: a colon and a blank stand between them",
        is_at_start=True,
    ),
    _Complaint(
        "mapping values are not allowed",
        "",
        "a key cannot end here: quote the text that this colon is in, or mend the indentation",
    ),
    _Complaint("',' or ']'", "flow sequence", "wanted a comma or ] here, for the [ in line {line}"),
    _Complaint("',' or '}'", "flow mapping", "wanted a comma or }} here, for the {{ in line {line}"),
    _Complaint(
        "expected key",
        "block mapping",
        "wanted a key here, below the one in line {line}: quote the whole text before, or mend the indentation",
    ),
    _Complaint(
        "expected '-'",
        "block collection",
        "wanted a - here, below the one in line {line}: mend the indentation",
    ),
    _Complaint("alphabetic or numeric", "an alias", "no text begins with *: quote it", is_at_start=True),
    _Complaint("alphabetic or numeric", "an anchor", "no text begins with &: quote it", is_at_start=True),
    _Complaint("expected node content", "", "no value begins with {found}: quote a text that does"),
    _Complaint("comment or line break", "", "the line ends here: the text of a | or > begins in the next"),
    _Complaint("expected <document start>", "", "the scenario has ended before: nothing can follow"),
    _Complaint("cannot start any token", "", "no text begins with {found}: quote it"),
)
