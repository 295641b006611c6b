"""What chance decides, as pure functions of the seed, the request's number and what is drawn for.

There is no generator to advance: any draw can be worked out again, in any order, and a replay draws the same.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from math import cos, exp, log, pi, sqrt
from typing import TYPE_CHECKING, Final

from sandbox.core.scenario import Fixed, Uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.core.scenario import Delay, Step

LONGEST_DELAY_S: Final = 86_400.0
"""A lognormal tail is cut here: no draw may overflow a timer."""

_BITS: Final = 53  # the precision of a float: every draw is below 1


def fraction(*, seed: int, request_number: int, purpose: str) -> float:
    """Return a number from 0 up to but not including 1, evenly spread.

    Args:
        seed: the scenario's.
        request_number: counted in the session.
        purpose: what is drawn for; draws for two purposes know nothing of each other.
    """
    key = f"{seed} {request_number} {purpose}".encode("utf-8", "surrogatepass")
    return (int.from_bytes(blake2b(key, digest_size=8).digest()) >> (64 - _BITS)) / (1 << _BITS)


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
