"""What chance decides: the same seed, request and purpose always draw the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from sandbox.core import draw
from sandbox.core.draw import LONGEST_DELAY_S, Chance, Chances, draw_delay, draw_timeline, fraction, line
from sandbox.core.scenario import Fixed, Lognormal, Step, Uniform

if TYPE_CHECKING:
    import pytest

SEEDS = st.integers(-(2**63), 2**63 - 1)


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


@given(SEEDS, st.integers(0), st.text())
def test_a_fraction_is_from_0_up_to_but_not_1_and_always_the_same(
    seed: int, number: int, purpose: str
) -> None:
    drawn = fraction(seed=seed, request_number=number, purpose=purpose)
    assert 0 <= drawn < 1
    assert drawn == fraction(seed=seed, request_number=number, purpose=purpose)


def test_fractions_never_change_from_one_version_to_the_next() -> None:
    """A trace kept by one version must be read alike by another."""
    assert fraction(seed=42, request_number=1, purpose="weight") == 0.49937461196532484


def test_fractions_are_spread_evenly() -> None:
    tenths = [0] * 10
    for number in range(10_000):
        tenths[int(10 * fraction(seed=1, request_number=number, purpose="x"))] += 1
    assert all(850 < count < 1150 for count in tenths)


def test_another_seed_request_or_purpose_draws_anew() -> None:
    draws = {
        fraction(seed=seed, request_number=number, purpose=purpose)
        for seed in range(5)
        for number in range(5)
        for purpose in ("a", "b")
    }
    assert len(draws) == 50


def test_draws_for_two_purposes_know_nothing_of_each_other() -> None:
    quarters = dict.fromkeys(((a, b) for a in range(4) for b in range(4)), 0)
    for number in range(8000):
        first, second = (
            int(4 * fraction(seed=1, request_number=number, purpose=purpose))
            for purpose in ("rule 1", "rule 2")
        )
        quarters[first, second] += 1
    assert all(400 < count < 600 for count in quarters.values())


def test_a_hundred_rules_of_one_request_are_met_as_often_as_by_a_hundred_coins() -> None:
    chances = Chances.of([Chance.of(f"rule {number}", 0.5) for number in range(100)])
    met = [len(list(chances.met(line(1, number)))) for number in range(2000)]
    mean = sum(met) / len(met)
    assert 49.5 < mean < 50.5
    assert 22 < sum((count - mean) ** 2 for count in met) / len(met) < 28


@given(st.lists(st.tuples(st.text(), st.floats(0, 1)), max_size=8), SEEDS, st.integers(0))
def test_a_chance_is_met_by_a_fraction_below_its_probability(
    wanted: list[tuple[str, float]], seed: int, number: int
) -> None:
    """Alone and with others; also at the edge, as a fraction is not below itself."""

    def drawn(purpose: str) -> float:
        return fraction(seed=seed, request_number=number, purpose=purpose)

    wanted += [(purpose, drawn(purpose)) for purpose, _ in wanted]
    chances = [Chance.of(purpose, probability) for purpose, probability in wanted]
    expected = [drawn(purpose) < probability for purpose, probability in wanted]
    assert [chance.is_met(line(seed, number)) for chance in chances] == expected
    met = Chances.of(chances).met(line(seed, number))
    assert list(met) == [position for position, is_met in enumerate(expected) if is_met]


def test_a_fixed_delay_is_what_it_says() -> None:
    assert draw_delay(Fixed(0.25), seed=1, request_number=1) == 0.25


@given(SEEDS, st.integers(0))
def test_a_uniform_delay_stays_within_its_bounds(seed: int, number: int) -> None:
    assert 1 <= draw_delay(Uniform(1, 3), seed=seed, request_number=number) <= 3


def test_half_of_all_lognormal_delays_are_below_the_median() -> None:
    delays = [draw_delay(Lognormal(0.2, 0.4), seed=1, request_number=number) for number in range(2000)]
    assert 900 < sum(delay < 0.2 for delay in delays) < 1100
    assert min(delays) > 0


@given(SEEDS, st.integers(0))
def test_a_lognormal_tail_has_an_end(seed: int, number: int) -> None:
    assert 0 <= draw_delay(Lognormal(3600, 50), seed=seed, request_number=number) <= LONGEST_DELAY_S


def test_steps_that_leave_nothing_to_chance_come_back_as_they_are() -> None:
    steps = (Step(seconds(1), "enroute"), Step(seconds(1), "delivered"))
    assert draw_timeline(steps, seed=1, request_number=1) is steps
    assert draw_timeline((), seed=1, request_number=1) == ()


def test_steps_come_in_the_order_in_which_they_are_due() -> None:
    late, early, also_early = Step(seconds(2), "b"), Step(seconds(1), "a"), Step(seconds(1), "c")
    assert draw_timeline((late, early, also_early), seed=1, request_number=1) == (early, also_early, late)


WEIGHTED = (
    Step(seconds(1), "enroute"),
    Step(seconds(5), "delivered", weight=8),
    Step(seconds(20), "undeliverable", weight=2),
    Step(seconds(30), "rejected", weight=0),
)


def test_one_of_the_weighted_steps_happens_as_often_as_its_weight_says() -> None:
    drawn = [draw_timeline(WEIGHTED, seed=1, request_number=number) for number in range(2000)]
    assert {tuple(step.status for step in steps) for steps in drawn} == {
        ("enroute", "delivered"),
        ("enroute", "undeliverable"),
    }
    assert 1520 < sum(steps[1].status == "delivered" for steps in drawn) < 1680


def test_no_step_is_drawn_where_every_weight_is_0() -> None:
    assert draw_timeline((Step(seconds(1), "a", weight=0),), seed=1, request_number=1) == ()


def test_the_last_weighted_step_takes_what_rounding_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "fraction", lambda **_: 1.0)
    assert draw_timeline(WEIGHTED, seed=1, request_number=1)[-1].status == "undeliverable"


@given(SEEDS, st.integers(0))
def test_drawn_steps_are_settled(seed: int, number: int) -> None:
    jittery = (
        *(replace(step, jitter=seconds(40)) for step in WEIGHTED),
        Step(seconds(9), "x", send_after=seconds(12)),
    )
    drawn = draw_timeline(jittery, seed=seed, request_number=number)
    assert draw_timeline(drawn, seed=seed, request_number=number) is drawn
    assert len(drawn) == 3
    for step in drawn:
        assert step.weight is None
        assert not step.jitter


@given(SEEDS)
def test_jitter_makes_a_step_late_and_its_report_as_late(seed: int) -> None:
    step = Step(seconds(5), "delivered", jitter=seconds(2), send_after=seconds(9))
    (drawn,) = draw_timeline((step,), seed=seed, request_number=1)
    assert seconds(5) <= drawn.after <= seconds(7)
    assert drawn.send_after is not None
    assert drawn.send_after - drawn.after == seconds(4)
