"""A rule's ``when`` as frozen values: whether a request meets it, and which condition missed first.

Knows neither what the rule does then nor how a ``when`` is written. What hangs on more than the request
(count, draw, state) is only kept here, and judged where the rules are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.core.model import Value

PARAMETERS: Final = (
    "to",
    "senderId",
    "message",
    "dcs",
    "udh",
    "user",
    "apiKey",
    "transactionId",
    "confirmation",
    "callbackUrl",
    "scheduledDeliveryTime",
    "validityPeriod",
    "responseType",
)
"""The parameters that a ``when`` may name, in the order in which its conditions are judged."""


class Facts(NamedTuple):
    """What a request looks like to a rule.

    A named tuple, as it is made for every request: it costs a third of a frozen dataclass.
    """

    method: str
    parameters: Mapping[str, Value]
    """As they came; what is unreadable counts as absent."""
    flash: bool | None = None
    """None before the checks, when nobody knows; no rule about flash matches then."""
    destination: str | None = None
    """What ``to`` is matched against instead of the parameter: the destination as the readings have it."""
    text: str | None = None
    """What ``message`` is matched against instead of the parameter."""

    def value(self, key: str) -> str | None:
        """Return what a condition on the parameter *key* is about; None for absent."""
        if key == "to" and self.destination is not None:
            return self.destination
        if key == "message" and self.text is not None:
            return self.text
        value = self.parameters.get(key)
        return value if isinstance(value, str) else None


class Exact(NamedTuple):
    """The very text."""

    text: str


class Prefix(NamedTuple):
    """Any text that begins so."""

    text: str


class Suffix(NamedTuple):
    """Any text that ends so."""

    text: str


class Contains(NamedTuple):
    """Any text that has this in it."""

    text: str


SearchAll = Callable[[Sequence[str]], Callable[[str], Iterable[int]]]
"""Makes of patterns a search that gives the positions of those that are found."""


class Regex(NamedTuple):
    """Any text in which the pattern is found."""

    pattern: str
    search: Callable[[str], bool]
    """Says whether it is found; compiled by an engine whose time is bounded, which the core does not know."""
    search_all: SearchAll | None = None
    """The same engine's search for many patterns at once; None where it has none."""

    def __repr__(self) -> str:
        return f"Regex({self.pattern!r})"


class AnyOf(NamedTuple):
    """Whatever meets at least one."""

    matchers: tuple[Matcher, ...]


class AllOf(NamedTuple):
    """Whatever meets every one."""

    matchers: tuple[Matcher, ...]


class Not(NamedTuple):
    """Whatever does not meet it, absent values too."""

    matcher: Matcher


class Absent(NamedTuple):
    """No value at all, or, where *absent* is False, any value."""

    absent: bool = True


Matcher = Exact | Prefix | Suffix | Contains | Regex | AnyOf | AllOf | Not | Absent


class When(NamedTuple):
    """All that must hold for a rule to match; what is None, or empty, is not asked for."""

    texts: tuple[tuple[str, Matcher], ...] = ()
    """Conditions on parameters, in the order of `PARAMETERS`."""
    method: str | None = None
    flash: bool | None = None
    confirmation: bool | None = None
    state: str | None = None
    probability: float | None = None
    nth: frozenset[int] = frozenset()
    every: int | None = None
    per: str | None = None
    """The parameter whose values are counted apart; None counts all together."""


Test = Callable[[Facts], bool]


class Compared(NamedTuple):
    """One condition of a rule, beside what a request had."""

    asked: str
    """``to begins with +34``"""
    met: str
    """``to is +4470000001``"""
    holds: bool | None
    """None where it was not looked at, as another one missed."""
    wanted: str = ""
    """What was asked for, as the end of a sentence: ``begins with +34``; empty where *met* says it all."""
    likeness: float = 0.0
    """How near the request came by a text of its own: 1 where that is the one, nearly 1 where it is almost equal; 0 too
    where a condition holds that most requests meet."""

    @property
    def miss(self) -> str:
        """How it missed: ``to is +4470000001, wanted: begins with +34``."""
        return f"{self.met}, wanted: {self.wanted}" if self.wanted else self.met


class _Condition(NamedTuple):
    holds: Test
    compared: Callable[[Facts], Compared]
    """Beside a request; its words are put together only when somebody asks."""


def conditions(when: When) -> tuple[Test, ...]:
    """Return the conditions of *when* on the request itself, each made ready to be asked many times."""
    return tuple(condition.holds for condition in _conditions(when))


def compare(when: When, facts: Facts) -> tuple[Compared, ...]:
    """Return each condition on the request, beside what it had. State, draw and count are not looked at."""
    return tuple(condition.compared(facts) for condition in _conditions(when))


def miss(when: When, facts: Facts) -> str | None:
    """Return the first condition on the request that missed, with the value it met; None when all hold.

    ``to is +4470000001, wanted: begins with +34``. State, draw and count are not looked at.
    """
    return next(
        (condition.compared(facts).miss for condition in _conditions(when) if not condition.holds(facts)),
        None,
    )


def turn(when: When) -> Callable[[int], bool] | None:
    """Return what says whether a rule is for the request that is the so many-th, from 1, to meet the rest of *when*.

    None where nothing is counted.
    """
    nth, every = when.nth, when.every
    if every is None:
        return nth.__contains__ if nth else None
    return lambda count: count % every == 0 and (not nth or count in nth)


def is_confirmed(facts: Facts) -> bool:
    """Say whether the request asks for reports: ``true`` or ``1``, in any case."""
    value = facts.value("confirmation")
    return value is not None and value.lower() in {"true", "1"}


def describe(matcher: Matcher) -> str:
    """Return what a matcher asks for, as the end of a sentence: ``begins with +34``."""
    match matcher:
        case Exact(text):
            return f"is {excerpt(text)}"
        case Prefix(text):
            return f"begins with {excerpt(text)}"
        case Suffix(text):
            return f"ends with {excerpt(text)}"
        case Contains(text):
            return f"contains {excerpt(text)}"
        case Regex(pattern):
            return f"matches {excerpt(pattern)}"
        case AnyOf(matchers):
            return " or ".join(map(describe, matchers))
        case AllOf(matchers):
            return " and ".join(map(describe, matchers))
        case Not(inner):
            return f"not: {describe(inner)}"
        case _:
            return "is absent" if matcher.absent else "is there"


def compiled(matcher: Matcher) -> Callable[[str | None], bool]:
    """Return *matcher* as a function of a value, None for an absent one."""
    match matcher:
        case Exact(text):
            return lambda value: value == text
        case Prefix(text):
            return lambda value: value is not None and value.startswith(text)
        case Suffix(text):
            return lambda value: value is not None and value.endswith(text)
        case Contains(text):
            return lambda value: value is not None and text in value
        case Regex(search=search):
            return lambda value: value is not None and search(value)
        case AnyOf(matchers):
            return _compiled_any(matchers)
        case AllOf(matchers):
            every = tuple(map(compiled, matchers))
            return lambda value: all(one(value) for one in every)
        case Not(inner):
            holds = compiled(inner)
            return lambda value: not holds(value)
        case _:
            absent = matcher.absent
            return lambda value: (value is None) is absent


def _compiled_any(matchers: Sequence[Matcher]) -> Callable[[str | None], bool]:
    """Return the function that says whether a value meets one of *matchers*: all texts of a kind in one look."""
    exact = frozenset(matcher.text for matcher in matchers if isinstance(matcher, Exact))
    prefixes = tuple(matcher.text for matcher in matchers if isinstance(matcher, Prefix))
    others = [compiled(matcher) for matcher in matchers if not isinstance(matcher, Exact | Prefix)]
    if exact:
        others.append(lambda value: value in exact)
    if prefixes:
        others.append(lambda value: value is not None and value.startswith(prefixes))
    if len(others) == 1:
        return others[0]

    def is_one_met(value: str | None) -> bool:
        for holds in others:  # noqa: SIM110 - any() of a generator takes twice as long
            if holds(value):
                return True
        return False

    return is_one_met


def _conditions(when: When) -> Iterator[_Condition]:
    if when.method is not None:
        yield _method(when.method)
    if when.flash is not None:
        yield _flash(when.flash)
    if when.confirmation is not None:
        yield _confirmation(when.confirmation)
    for key, matcher in when.texts:
        yield _text(key, matcher)


def _method(method: str) -> _Condition:
    def holds(facts: Facts) -> bool:
        return facts.method == method

    return _Condition(
        holds,
        lambda facts: Compared(
            f"method is {method}",
            f"method is {excerpt(facts.method)}",
            holds(facts),
            method,
        ),
    )


def _flash(flash: bool) -> _Condition:  # noqa: FBT001 - the condition's own value
    seen = {
        True: "the message is flash",
        False: "the message is not flash",
        None: "not known before the checks",
    }

    def holds(facts: Facts) -> bool:
        return facts.flash is flash

    return _Condition(
        holds,
        lambda facts: Compared(
            seen[flash],
            seen[facts.flash],
            holds(facts),
            f"flash {str(flash).lower()}",
        ),
    )


def _confirmation(wanted: bool) -> _Condition:  # noqa: FBT001 - the condition's own value
    def holds(facts: Facts) -> bool:
        return is_confirmed(facts) is wanted

    asked, other = str(wanted).lower(), str(not wanted).lower()
    return _Condition(
        holds,
        lambda facts: Compared(
            f"confirmation is {asked}",
            f"confirmation is {asked if holds(facts) else other}",
            holds(facts),
            asked,
        ),
    )


def _text(key: str, matcher: Matcher) -> _Condition:
    is_met = compiled(matcher)

    def compared(facts: Facts) -> Compared:
        value, wanted = facts.value(key), describe(matcher)
        holds = is_met(value)
        likeness = float(_is_choosy(matcher)) if holds else _likeness(matcher, value)
        return Compared(f"{key} {wanted}", f"{key} is {_shown(key, value)}", holds, wanted, likeness)

    return _Condition(lambda facts: is_met(facts.value(key)), compared)


def _is_choosy(matcher: Matcher) -> bool:
    """Say whether few values meet a matcher: it names what is wanted, not what is not."""
    match matcher:
        case Not() | Absent():
            return False
        case AnyOf(matchers):
            return all(map(_is_choosy, matchers))
        case AllOf(matchers):
            return any(map(_is_choosy, matchers))
        case _:
            return True


def _likeness(matcher: Matcher, value: str | None) -> float:
    """Return how near a value came to what a matcher asks for, from 0 to 1; 0 where nothing can be told."""
    if value is None:
        return 0.0
    match matcher:
        case Exact(text):
            return _alike(value, text)
        case Prefix(text):
            return _alike(value[: len(text)], text)
        case Suffix(text):
            return _alike(value[-len(text) :], text)
        case AnyOf(matchers):
            return max((_likeness(one, value) for one in matchers), default=0.0)
        case AllOf(matchers):
            each = [1.0 if compiled(one)(value) else _likeness(one, value) for one in matchers]
            return sum(each) / len(each) if each else 0.0
        case _:
            return 0.0


def _alike(one: str, other: str) -> float:
    """Return how much of two texts is the same from their ends on, upper and lower case taken as one."""
    one, other = one[:_COMPARED].casefold(), other[:_COMPARED].casefold()
    most = max(len(one), len(other))
    shorter = min(len(one), len(other))
    begins = next((place for place in range(shorter) if one[place] != other[place]), shorter)
    ends = next((place for place in range(shorter) if one[-1 - place] != other[-1 - place]), shorter)
    return min(begins + ends, shorter) / most if most else 1.0


_COMPARED: Final = 100
"""Characters of a text that are looked at for how near it came."""


def _shown(key: str, value: str | None) -> str:
    if value is None:
        return "absent"
    return "another" if key == "apiKey" else excerpt(value) or "empty"


def misses(when: When, facts: Facts) -> tuple[str, ...]:
    """Return every condition on the request that missed, each as `miss` says it; none when all hold."""
    return tuple(each.miss for each in compare(when, facts) if not each.holds)
