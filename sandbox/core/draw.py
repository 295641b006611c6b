"""What chance decides, as pure functions of the seed, the request's number and what is drawn for.

There is no generator to advance: any draw can be worked out again, in any order, and a replay draws the same. The
draws of one request are values of one random line (Dietzfelbinger 1996, "Universal hashing and k-wise independent
random variables via integer arithmetic without primes"): any two of them know nothing of each other.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from math import ceil, cos, exp, log, pi, sqrt
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from sandbox.core.scenario import Fixed, Uniform

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.core.scenario import Delay, Step

LONGEST_DELAY_S: Final = 86_400.0
"""A lognormal tail is cut here: no draw may overflow a timer."""

_KEY_OCTETS: Final = 6
_OCTETS: Final = 12
"""Of a draw: twice those of a key, so that its upper 49 bits know nothing of those for any other key."""

_ALL: Final = (1 << 8 * _OCTETS) - 1
_BITS: Final = 53  # the precision of a float: every fraction is below 1
_REST: Final = 8 * _OCTETS - _BITS


def fraction(*, seed: int, request_number: int, purpose: str) -> float:
    """Return a number from 0 up to but not including 1, evenly spread.

    Args:
        seed: the scenario's.
        request_number: counted in the session.
        purpose: what is drawn for; draws for two purposes know nothing of each other.
    """
    slope, start = line(seed, request_number)
    return (((slope * _key(purpose) + start) & _ALL) >> _REST) / (1 << _BITS)


Line = tuple[int, int]
"""The draws of one request, as values of it: by how much it climbs, and where it starts."""


@lru_cache(maxsize=16)  # a request may draw for several purposes
def line(seed: int, request_number: int) -> Line:
    """Return the line of a request."""
    digest = int.from_bytes(blake2b(b"%d %d" % (seed, request_number), digest_size=2 * _OCTETS).digest())
    return digest >> 8 * _OCTETS, digest & _ALL


@lru_cache(maxsize=1024)  # and those come again
def _key(purpose: str) -> int:
    """Return the place on every line that belongs to *purpose*."""
    return int.from_bytes(blake2b(purpose.encode("utf-8", "surrogatepass"), digest_size=_KEY_OCTETS).digest())


class Chance(NamedTuple):
    """A probability made ready to be drawn for."""

    key: int
    bound: int
    """What a draw is below where its `fraction` is below the probability."""

    @classmethod
    def of(cls, purpose: str, probability: float) -> Self:
        """Return the chance of what is drawn for *purpose*."""
        return cls(_key(purpose), ceil(probability * (1 << _BITS)) << _REST)

    def is_met(self, drawn: Line) -> bool:
        """Say whether `fraction` is below the probability, for the request with that line."""
        slope, start = drawn
        return (slope * self.key + start) & _ALL < self.bound


class Chances(NamedTuple):
    """Chances that are drawn for together, in arithmetic on one long integer where each has its lane."""

    keys: int
    ones: int
    draws: int
    """All bits of a draw in each lane."""
    limits: int
    above: int
    """The bit above all of a draw's in each lane."""

    @classmethod
    def of(cls, wanted: Sequence[Chance]) -> Self:
        """Return what draws for all that is *wanted*."""

        def lanes(values: Iterable[int]) -> int:
            return int.from_bytes(
                b"".join(value.to_bytes(_LANE_OCTETS, "little") for value in values), "little"
            )

        return cls(
            keys=lanes(chance.key for chance in wanted),
            ones=lanes(1 for _ in wanted),
            draws=lanes(_ALL for _ in wanted),
            # A draw below the bound leaves the bit above all of a draw's when it is taken from this.
            limits=lanes(_ALL + chance.bound for chance in wanted),
            above=lanes(_ALL + 1 for _ in wanted),
        )

    def met(self, drawn: Line) -> list[int]:
        """Return the positions of those that are met for the request with that line, in order."""
        keys, ones, draws, limits, above = self
        slope, start = drawn
        met = (limits - ((slope * keys + start * ones) & draws)) & above
        positions = []
        while met:
            lowest = met & -met
            positions.append(lowest.bit_length() // _LANE)
            met ^= lowest
        return positions


_LANE_OCTETS: Final = _OCTETS + _KEY_OCTETS + 1  # room for the product of a slope and a key, and a start
_LANE: Final = 8 * _LANE_OCTETS


def draw_delay(delay: Delay, *, seed: int, request_number: int) -> float:
    """Return how many seconds the answer waits."""
    match delay:
        case Fixed(seconds):
            return seconds
        case Uniform(low_s, high_s):
            return low_s + (high_s - low_s) * fraction(
                seed=seed, request_number=request_number, purpose="delay"
            )
        case _:
            # Box and Muller: two even draws make a normal one.
            radius = fraction(seed=seed, request_number=request_number, purpose="delay")
            angle = fraction(seed=seed, request_number=request_number, purpose="delay angle")
            normal = sqrt(-2 * log(1 - radius)) * cos(2 * pi * angle)
            return min(delay.median_s * exp(delay.sigma * normal), LONGEST_DELAY_S)


def draw_timeline(steps: tuple[Step, ...], *, seed: int, request_number: int) -> tuple[Step, ...]:
    """Return the steps that happen, in the order in which they do: one of the weighted ones, jitter added.

    Steps that leave nothing to chance and are in order come back as they are.
    """
    if _is_settled(steps):
        return steps
    chosen = _weighted(steps, seed=seed, request_number=request_number)
    drawn = [
        _moved(step, fraction(seed=seed, request_number=request_number, purpose=f"jitter {position}"))
        for position, step in enumerate(steps)
        if step.weight is None or step is chosen
    ]
    return tuple(sorted(drawn, key=lambda step: step.after))


def _is_settled(steps: tuple[Step, ...]) -> bool:
    last = None
    for step in steps:
        if step.weight is not None or step.jitter or (last is not None and step.after < last):
            return False
        last = step.after
    return True


def _weighted(steps: Sequence[Step], *, seed: int, request_number: int) -> Step | None:
    weighted = [(step, step.weight) for step in steps if step.weight]
    if not weighted:
        return None
    total = sum(weight for _, weight in weighted)
    left = total * fraction(seed=seed, request_number=request_number, purpose="weight")
    for step, weight in weighted:
        left -= weight
        if left < 0:
            return step
    return weighted[-1][0]  # where rounding ate the last of it


def _moved(step: Step, share: float) -> Step:
    """Settle a step: its report, where it has a moment of its own, comes as much later as the change does."""
    late = step.jitter * share
    return replace(
        step,
        after=step.after + late,
        send_after=None if step.send_after is None else step.send_after + late,
        weight=None,
        jitter=step.jitter * 0,
    )
