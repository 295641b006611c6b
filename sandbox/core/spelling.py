"""How any text is written in an ASCII sentence: characters, excerpts, whole header values.

Knows nothing of what the text is or where the sentence goes. Every character outside U+0020 to U+007E is
written as its code point, U+20AC, so no value can break a line or hide in one.
"""

from bisect import bisect_right
from itertools import accumulate


def spell(char: str) -> str:
    """Return one character as a sentence names it: ``'r'``, ``' '``, ``U+20AC``."""
    return f"'{char}'" if _is_printable(char) else _code_point(char)


def excerpt(text: str, limit: int = 40) -> str:
    """Return *text* in printable ASCII, cut with ``...`` when that takes more than *limit* characters.

    Args:
        text: any text, unpaired surrogates included: ``Código`` becomes ``CU+00F3digo``.
        limit: length of the result at most, its ``...`` included; 3 or more.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    # One character more than there is room for is enough to know that the text is too long.
    spelled = [char if _is_printable(char) else _code_point(char) for char in text[: limit + 1]]
    ends = list(accumulate(map(len, spelled)))
    if not ends or ends[-1] <= limit:
        return "".join(spelled)
    return "".join(spelled[: bisect_right(ends, limit - 3)]) + "..."


def ascii_sentence(text: str, limit: int = 1000) -> str:
    """Return *text* as a safe HTTP header value: one line of printable ASCII, at most *limit* characters.

    Source: RFC 9110 §5.5 (a field value neither begins nor ends with white space).
    """
    return excerpt(text.strip(" "), limit)


def _is_printable(char: str) -> bool:
    return " " <= char <= "~"


def _code_point(char: str) -> str:
    return f"U+{ord(char):04X}"
