"""What several commands take: the API's parameters, readings, durations, and where the sandbox is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from sandbox.config import Config
from sandbox.core.times import MalformedTime, absolute
from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")

DEFAULTS: Final = Config()

PARAMETERS: Final = {
    "to": "Destination: + and 7 to 15 digits.",
    "message": "Text, or hex digits with dcs 2 and 4.",
    "senderId": "What the handset shows as the sender.",
    "transactionId": "Your own id for the message.",
    "confirmation": "Whether reports are wanted: true or false.",
    "dcs": "Data coding: 0, 1, 2, 3, 4 or 8.",
    "udh": "User data header in hex.",
    "validityPeriod": "When the message expires: seconds or a time.",
    "scheduledDeliveryTime": "When it is sent: a time.",
    "responseType": "How it is answered: json or xml.",
    "callbackUrl": "Where the reports go.",
    "user": "The account; filled in when left out.",
    "apiKey": "Its key; filled in when left out.",
}
"""The parameters of the API as it spells them, each with a word of help."""

_FILLED_IN: Final = {"user": "you@example.com", "apiKey": "secret"}


def api_parameters(command: Decorated) -> Decorated:
    """Give a command an option for each parameter of the API; they arrive by its own names."""
    for name, text in reversed(PARAMETERS.items()):
        is_required = name in {"to", "message"}
        command = click.option(f"--{name}", name, metavar="TEXT", required=is_required, help=text)(command)
    return command


def as_sent(given: Mapping[str, str | None]) -> dict[str, str]:
    """Return the parameters that were given, with a user and a key."""
    return {**_FILLED_IN, **{name: value for name, value in given.items() if value is not None}}


def environment(name: str) -> str:
    """Return the environment twin of an option: ``PANELSMS_SANDBOX_MAX_MESSAGES`` of ``max-messages``."""
    return f"PANELSMS_SANDBOX_{name.upper().replace('-', '_')}"


class Several(click.ParamType):  # type: ignore[type-arg] # generic in newer versions only
    """Text that may be given more than once; in the environment the values are separated by commas."""

    name = "text"
    envvar_list_splitter = ","

    def split_envvar_value(self, rv: str) -> list[str]:
        """Return the values in an environment variable."""
        return [value.strip() for value in rv.split(",") if value.strip()]


def reading_option(command: Decorated) -> Decorated:
    """Give a command the option --reading; it arrives as ``readings``, see `readings_of`."""
    return click.option(
        "--reading",
        "readings",
        type=Several(),
        multiple=True,
        metavar="NAME=VALUE",
        envvar=environment("reading"),
        show_envvar=True,
        help="Read an open question of the API reference in another way, such as errors=envelope; "
        "may be repeated. Names and values: contract/readings.yaml.",
    )(command)


def readings_of(given: Iterable[str]) -> dict[str, str]:
    """Return readings by name, of ``errors=envelope`` and its like; of a repeated name the last wins.

    Raises:
        ConfigError: one is not written so.
    """
    readings = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise ConfigError(f"--reading {one}: write NAME=VALUE, such as errors=envelope")
        readings[name] = value
    return readings


class Duration(click.ParamType):  # type: ignore[type-arg] # as above
    """A duration in seconds, written as in scenario files: ``30s``, ``500ms``, ``2m``, ``5``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds of *value*."""
        from sandbox.yaml_scalars import LONGEST_S, duration_s  # noqa: PLC0415 - few commands take a duration

        seconds = duration_s(value)
        if seconds is None or seconds > LONGEST_S:
            self.fail(f"{value} is no duration: write 30s, 500ms, 2m, or a number of seconds", param, ctx)
        return seconds


class Moment(click.ParamType):  # type: ignore[type-arg] # as above
    """A moment: ``2024-01-15T10:30:45Z``; without a zone it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment that *value* names."""
        moment = absolute(value)
        if isinstance(moment, MalformedTime):
            self.fail(moment.detail, param, ctx)
        return moment


def timeout_option(command: Decorated) -> Decorated:
    """Give a command the option --timeout; it arrives as ``timeout_s``."""
    return click.option(
        "--timeout",
        "timeout_s",
        type=Duration(),
        default="30s",
        show_default=True,
        metavar="DURATION",
        help="How long --wait waits.",
    )(command)


def url_option(command: Decorated) -> Decorated:
    """Give a command the option --url: where the sandbox is."""
    return click.option(
        "--url",
        default=local_url,
        metavar="URL",
        envvar=environment("url"),
        show_envvar=True,
        show_default="where serve listens with the same PANELSMS_SANDBOX_HOST and PANELSMS_SANDBOX_PORT",
        help="Where the sandbox is, with /s/NAME for a session of it.",
    )(command)


def local_url() -> str:
    """Return where a sandbox that was started in this environment is reached: ``http://127.0.0.1:7670``."""
    host = os.environ.get(environment("host")) or DEFAULTS.host
    port = os.environ.get(environment("port")) or DEFAULTS.port
    host = _REACHED_AT.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


_REACHED_AT: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - every address of this machine is this one too
