"""``Sandbox``: a server in a thread of this process, one that runs elsewhere, or a session of either.

Where it runs and when it begins and ends; what a test does with it is the same everywhere, and is a `World`'s.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from sandbox import contract
from sandbox.core.scenario import MAGIC_PREFIX
from sandbox.core.spelling import excerpt
from sandbox.errors import ConfigError
from sandbox.kit.choosing import choice_of, moment_of, source_of
from sandbox.kit.clock import written
from sandbox.kit.control import Control
from sandbox.kit.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from types import TracebackType

    from starlette.types import ASGIApp

    from sandbox.carrier import Carrier
    from sandbox.core.model import JsonObject
    from sandbox.kit.choosing import Scenario


class Options(TypedDict, total=False):
    """How a world begins, beside its scenario; `Sandbox` says what each means."""

    clock: str
    start_at: datetime | str | None
    seed: int | None
    readings: Mapping[str, str]
    callback_url: str | None
    allow_callback: Iterable[str]
    magic_prefix: str


class Sandbox(World):
    """A sandbox, served while the block runs: ``with Sandbox(scenario="default", clock="virtual") as sms: …``.

    ``Sandbox.at(url)`` is one that runs elsewhere, ``sms.session(name)`` a world of its own on the same server.
    """

    def __init__(
        self,
        scenario: Scenario = "default",
        *,
        clock: str = "virtual",
        start_at: datetime | str | None = None,
        seed: int | None = None,
        readings: Mapping[str, str] | None = None,
        callback_url: str | None = None,
        allow_callback: Iterable[str] = (),
        magic_prefix: str = MAGIC_PREFIX,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Build one that a thread of this process serves, once it is started.

        Args:
            scenario: a built-in one's name, a file's path, YAML, or the same as a mapping.
            clock: ``virtual``, which stands until it is advanced; ``real``; or ``x60``, sixty times as fast.
            start_at: what time it is when the clock begins; None for the real time.
            seed: in place of the scenario's own.
            readings: in place of the scenario's own: ``{"errors": "envelope"}``.
            callback_url: where reports go when neither the request nor its account names a URL.
            allow_callback: hosts that reports may go to besides loopback and private addresses.
            magic_prefix: what the magic destinations of the default scenario begin with.
            host: the address to listen on.
            port: 0 takes a free one.
        """
        super().__init__()
        options = Options(
            clock=clock,
            start_at=start_at,
            seed=seed,
            readings=readings or {},
            callback_url=callback_url,
            allow_callback=allow_callback,
            magic_prefix=magic_prefix,
        )

        def serve() -> Control:
            from sandbox.serving import serving  # noqa: PLC0415 - uvicorn, which nobody needs who asks elsewhere

            app, self._readings = _application(scenario, options)
            control = Control(self._running.enter_context(serving(app, host=host, port=port)))
            self._running.callback(control.close)
            return control

        self._connect: Callable[[], Control] = serve
        self._running = ExitStack()
        """What is undone at the end."""

    @classmethod
    def at(cls, url: str, *, token: str | None = None) -> Self:
        """Return the sandbox that runs at *url*: in a container, or by ``panelsms-sandbox serve``.

        Args:
            url: ``http://127.0.0.1:7670``, or a session's; nothing is asked of it yet.
            token: its admin token, where it has one.

        Raises:
            ConfigError: *url* is no URL of HTTP.
        """
        control = Control(url, token=token)
        return cls._asking(control, at_end=control.close)

    @classmethod
    def _asking(
        cls,
        control: Control,
        *,
        begun_with: Iterable[tuple[str, JsonObject]] = (),
        readings: Mapping[str, str] | None = None,
        at_end: Callable[[], object],
    ) -> Self:
        """Return the sandbox that *control* asks, begun."""
        there = cls()
        there._connect = lambda: control
        there.start()
        there._readings = readings or there._readings
        there._begun_with = tuple(begun_with)
        there._begin()
        there._running.callback(at_end)
        return there

    @staticmethod
    def app(scenario: Scenario = "default", **options: Unpack[Options]) -> ASGIApp:
        """Return the ASGI application, for ``httpx.ASGITransport``: no port, no thread, no lifespan needed.

        Its control API is under ``/_sandbox/`` as ever, and answers over the same transport.

        Raises:
            SandboxError: the scenario or an option is wrong.
        """
        from sandbox.kit.transient import TransientCarrier  # noqa: PLC0415 - few need one

        return _application(scenario, options, TransientCarrier())[0]

    def session(
        self,
        name: str,
        *,
        scenario: Scenario | None = None,
        clock: str | None = None,
        start_at: datetime | str | None = None,
        readings: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a world of its own on the same server; as a context manager, it ends with the block.

        Args:
            name: 1 to 64 of ``A-Z a-z 0-9 . _ -``.
            scenario: in place of the server's.
            clock: in place of the server's.
            start_at: what time it is when *clock* begins.
            readings: in place of the scenario's own.

        Raises:
            SandboxError: the name, the scenario or an option is wrong.
        """
        from sandbox.sessions import split_path  # noqa: PLC0415 - with the server, where there is one

        path = f"/s/{name}"
        if split_path(path) != (name, "/"):
            raise ConfigError(
                f"a session cannot be called {excerpt(name)}: 1 to 64 of A-Z a-z 0-9 . _ -, not only dots"
            )
        begun_with: list[tuple[str, JsonObject]] = []
        in_force = self.readings
        if scenario is not None or readings:
            choice, in_force = choice_of(scenario or self.scenario["yaml"], readings or {})
            begun_with.append(("scenario", choice))
        if clock is not None or start_at is not None:
            moment = moment_of(start_at)
            now = {} if moment is None else {"now": written(moment)}
            begun_with.append(("clock", {"mode": clock or "virtual", **now}))
        there = self._asking(
            self.control.beneath(path),
            begun_with=begun_with,
            readings=in_force,
            # 404: nobody has ever asked for it.
            at_end=partial(self.control.ask, "DELETE", path, also=HTTPStatus.NOT_FOUND),
        )
        if readings:
            try:
                there._demand(readings, there.scenario)  # noqa: SLF001 - it is one of us
            except ConfigError:
                there.stop()
                raise
        return there

    def start(self) -> Self:
        """Serve, unless it does already.

        Raises:
            SandboxError: the port is in use, or the scenario or an option is wrong.
        """
        if self._there is None:
            self._there = self._connect()
        return self

    def stop(self) -> None:
        """Stop serving; a session ends, and what runs elsewhere goes on."""
        self._there = None
        self._running.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _application(
    scenario: Scenario, options: Options, carrier: Carrier | None = None
) -> tuple[ASGIApp, Mapping[str, str]]:
    """Return the ASGI application, and the readings in force."""
    from sandbox.app import create_app  # noqa: PLC0415 - as serving
    from sandbox.config import Config  # noqa: PLC0415 - likewise

    prefix = options.get("magic_prefix", MAGIC_PREFIX)
    source = source_of(scenario, magic_prefix=prefix)
    readings = options.get("readings", {})
    config = Config(
        clock=options.get("clock", "virtual"),
        start_at=moment_of(options.get("start_at")),
        seed=options.get("seed"),
        readings=readings,
        callback_url=options.get("callback_url"),
        allow_callback=tuple(options.get("allow_callback", ())),
        magic_prefix=prefix,
    )
    in_force = contract.readings({**source.scenario.readings, **readings})._asdict()
    return create_app(config, scenario=source, carrier=carrier), in_force
