"""Counts of one session for Prometheus, read when they are asked for, so that the endpoint pays nothing for them.

Requests are tallied from where the last scrape left off. All counters begin anew with a reset of the session, or
another scenario.
"""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from operator import attrgetter
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import Response

from sandbox import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from sandbox.core.decide import Progress
    from sandbox.engine import Engine
    from sandbox.sessions import Sessions

_PREFIX: Final = "panelsms_sandbox_"


class _Tally:
    """How many requests got each answer since a session began, or began anew."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        """What the session remembers, which begins anew with it."""
        self._last = 0
        self._by_error: Counter[int | None] = Counter()

    def taken(self, engine: Engine) -> Counter[int | None]:
        """Count what has come since the last time, and return all that was counted."""
        last = self._last
        new = list(takewhile(lambda record: record.number > last, engine.store.requests()))
        self._by_error.update(map(attrgetter("error"), new))
        self._last = new[0].number if new else last
        return self._by_error


_tallies: Final[WeakKeyDictionary[Engine, _Tally]] = WeakKeyDictionary()


def _tally(engine: Engine) -> _Tally:
    tally = _tallies.get(engine)
    if tally is None or tally.progress is not engine.progress:
        tally = _tallies[engine] = _Tally(engine.progress)
    return tally


class _Counts(Collector):
    """One session's counts as metrics."""

    def __init__(self, engine: Engine, sessions: Sessions) -> None:
        self._engine = engine
        self._sessions = sessions

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        engine, store, sessions = self._engine, self._engine.store, self._sessions
        yield InfoMetricFamily(
            f"{_PREFIX}server",
            "What serves.",
            {"version": __version__, "scenario": engine.scenario.name, "clock": engine.clock.mode},
        )
        requests = CounterMetricFamily(
            f"{_PREFIX}requests", "Requests to the endpoint by error code, none for none.", labels=["error"]
        )
        for error, count in sorted(_tally(engine).taken(engine).items(), key=lambda item: item[0] or 0):
            requests.add_metric(["none" if error is None else str(error)], count)
        yield requests
        messages = GaugeMetricFamily(
            f"{_PREFIX}messages", "Messages that are kept, by status.", labels=["status"]
        )
        for status, count in sorted(Counter(map(attrgetter("status"), store.messages())).items()):
            messages.add_metric([status], count)
        yield messages
        callbacks = GaugeMetricFamily(
            f"{_PREFIX}callbacks", "Callbacks that are kept, by state.", labels=["state"]
        )
        for state, count in sorted(Counter(map(attrgetter("state"), store.callbacks())).items()):
            callbacks.add_metric([state], count)
        yield callbacks
        yield GaugeMetricFamily(f"{_PREFIX}due", "What is yet to happen on the clock.", len(engine.agenda))
        yield GaugeMetricFamily(
            f"{_PREFIX}callbacks_unfinished",
            "Callbacks that have neither arrived nor been given up.",
            engine.dispatcher.unfinished,
        )
        yield CounterMetricFamily(
            f"{_PREFIX}messages_dropped", "Messages that the cap has cost.", store.dropped
        )
        yield GaugeMetricFamily(f"{_PREFIX}sessions", "Sessions that have a name.", len(sessions))
        yield CounterMetricFamily(
            f"{_PREFIX}sessions_ended",
            "Sessions that ended because they were idle, or too many.",
            sessions.ended,
        )


def exposition(engine: Engine, sessions: Sessions) -> Response:
    """Return the counts of a session, and how many sessions there are, as Prometheus text."""
    registry = CollectorRegistry()
    registry.register(_Counts(engine, sessions))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
