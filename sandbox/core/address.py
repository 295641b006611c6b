"""The syntax of destinations and senders, and what is wrong with one that is not well formed.

Knows nothing of accounts, barred numbers or sender lists. Positions count characters from 1.
Sources: ITU-T E.164 §6.1 (at most 15 digits), 3GPP TS 23.040 §9.1.2.5 (a sender of 11 septets).
"""

import re
from functools import lru_cache

from sandbox.core import gsm7
from sandbox.core.spelling import spell

# E.164 §6.1: at most 15 digits, and no country code begins with 0.
_DESTINATION = re.compile(r"\+[1-9][0-9]{6,14}")
_NOT_A_DIGIT = re.compile(r"[^0-9]")

_SENDER_DIGITS = re.compile(r"\+?([0-9]+)")

# What nearly every sender is, so that few need the alphabet: 3 to 15 digits, or 1 to 11 plain characters
# with a letter among them. Each of those is one septet.
_PLAIN_SENDER = re.compile(r"\+?[0-9]{3,15}|(?=[0-9 ]*[A-Za-z])[A-Za-z0-9 ]{1,11}")

_SENDER_SEPTETS = 11  # TS 23.040 §9.1.2.5: 10 octets of address

_MARKS = {" ": "blank", "-": "dash", ".": "dot", "/": "slash", "(": "parenthesis", ")": "parenthesis"}


def is_destination(text: str) -> bool:
    """Say whether *text* is a well-formed destination: ``+``, then 7 to 15 digits, the first not 0."""
    return _DESTINATION.fullmatch(text) is not None


def destination_fault(text: str) -> str | None:
    """Return why *text* is no well-formed destination and what to send instead; None when it is one."""
    if is_destination(text):
        return None
    if not text:
        return "is empty: send +<country><number>"
    if text.startswith(" "):
        return "begins with a blank: an unencoded + becomes a blank, send %2B"
    if "%" in text:
        return (
            "contains a %: values are percent-decoded once, JSON strings not at all: send +<country><number>"
        )
    if text.startswith("00"):
        return "begins with 00: the international format is +<country><number>, with + in place of 00"
    has_plus = text.startswith("+")
    if intruder := _NOT_A_DIGIT.search(text, int(has_plus)):
        return f"has {_intruder(intruder[0])} at position {intruder.start() + 1}: digits only after the +"
    if not has_plus:
        return "has no +: the international format is +<country><number>"
    if text.startswith("+0"):
        return "has a 0 after the +: no country code begins with 0"
    count = len(text) - 1
    if count < 7:
        return f"is too short: {_digits(count)} after the +, at least 7"
    return f"is too long: {_digits(count)} after the +, at most 15"


def normal_destination(text: str, *, plus_required: bool, strip_spaces: bool) -> str:
    """Return *text* as the readings have it before its check: ``1 222`` may become ``+1222``.

    Args:
        text: the destination as it was sent.
        plus_required: False puts a + before a destination that begins with a digit.
        strip_spaces: True removes every U+0020.
    """
    if strip_spaces:
        text = text.replace(" ", "")
    if not plus_required and "0" <= text[:1] <= "9":
        return f"+{text}"
    return text


@lru_cache(maxsize=256)  # few senders send much
def sender_fault(text: str) -> str | None:
    """Return why *text* is no well-formed sender; None when it is one.

    Well formed: 3 to 15 digits with an optional +; or 1 to 11 septets of the GSM 7-bit alphabet, one of
    them a letter (``Café`` and ``Δ`` have one).
    """
    if _PLAIN_SENDER.fullmatch(text):
        return None
    if not text:
        return "is empty"
    if number := _SENDER_DIGITS.fullmatch(text):
        count = len(number[1])
        return f"{_digits(count)}, " + ("at least 3" if count < 3 else "at most 15")
    foreign = gsm7.first_foreign(text)
    if foreign is not None:
        return f"{spell(text[foreign])} at position {foreign + 1} is not in the GSM 7-bit alphabet"
    septets = sum(map(gsm7.cost, text))
    if septets > _SENDER_SEPTETS:
        return f"{septets} septets, room for {_SENDER_SEPTETS}{_first_dear(text)}"
    if not any(map(str.isalpha, text)):
        return "has no letter, and is not 3 to 15 digits with an optional +"
    return None


def _intruder(char: str) -> str:
    """Name a character that is not a digit: ``blank``, ``letter 'r'``, ``U+2030``."""
    if char in _MARKS:
        return _MARKS[char]
    if char.isdecimal():
        return f"{spell(char)} (a digit of another script)"
    return f"letter {spell(char)}" if char.isalpha() else spell(char)


def _first_dear(text: str) -> str:
    """Point out an extension character among those that had room: ``: U+20AC at position 3 costs 2``."""
    for position, char in enumerate(text[:_SENDER_SEPTETS], 1):
        if gsm7.cost(char) > 1:
            return f": {spell(char)} at position {position} costs 2"
    return ""


def _digits(count: int) -> str:
    return f"{count} digit" if count == 1 else f"{count} digits"
