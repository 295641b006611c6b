"""``serve``: the server itself, from its options to its last line."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from sandbox.clock import check_mode
from sandbox.commands.options import (
    DEFAULTS,
    Duration,
    Moment,
    Several,
    environment,
    reading_option,
    readings_of,
)
from sandbox.commands.teaching import TeachingCommand
from sandbox.config import Config
from sandbox.core.callback_url import url_fault
from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


def _option(name: str, *declarations: str, **settings: Any) -> Callable[[Any], Any]:
    """Return an option that is also read from the environment, and says so."""
    return click.option(
        f"--{name}",
        *declarations,
        envvar=environment(name),
        show_envvar=True,
        show_default="default" in settings,
        **settings,
    )


@click.command(
    "serve",
    cls=TeachingCommand,
    examples=(
        "panelsms-sandbox serve",
        "panelsms-sandbox serve --port 0 --callback-url http://localhost:9000/dlr",
        "panelsms-sandbox serve --scenario carrier-outage",
        "panelsms-sandbox serve --scenario ./mine.yaml --watch",
        "panelsms-sandbox serve --store sqlite:sandbox.db",
        "panelsms-sandbox serve --clock virtual --start-at 2024-01-15T10:30:00Z",
        "panelsms-sandbox serve --reading errors=envelope --reading error_http_status=4xx",
        "PANELSMS_SANDBOX_READING=errors=envelope,dlr_format=wiki_get panelsms-sandbox",
    ),
    exit_codes={
        0: "stopped by Ctrl-C or SIGTERM",
        2: "an option cannot work, such as a port in use",
    },
)
@_option("host", default=DEFAULTS.host, help="Address to listen on; 0.0.0.0 for all.")
@_option("port", default=DEFAULTS.port, type=click.IntRange(0, 65_535), help="Port; 0 takes a free one.")
@_option(
    "scenario",
    default=DEFAULTS.scenario,
    metavar="NAME|FILE",
    help="What is answered and what becomes of messages: a built-in scenario, as the command scenarios lists "
    "them, or a YAML file.",
)
@_option(
    "store",
    default=DEFAULTS.store,
    metavar="memory|sqlite:FILE",
    help="Where messages, requests and reports are kept: in memory alone, or in a file as well, from which the next "
    "start goes on.",
)
@_option("watch", is_flag=True, help="Read the scenario's file again whenever it changes.")
@_option(
    "clock",
    default=DEFAULTS.clock,
    metavar="real|virtual|xN",
    help="How time passes: as it does, only when it is moved through the control API, or N times as fast.",
)
@_option(
    "start-at", type=Moment(), metavar="TIME", help="What time it is at the start: 2024-01-15T10:30:45Z."
)
@_option(
    "seed",
    type=click.IntRange(-(2**63), 2**63 - 1),
    help="What chance hangs on, in place of the scenario's seed.",
)
@reading_option
@_option(
    "magic-prefix",
    default=DEFAULTS.magic_prefix,
    metavar="PREFIX",
    help="What the magic destinations of the scenario default begin with.",
)
@_option(
    "sessions-by",
    default=DEFAULTS.sessions_by,
    type=click.Choice(["path", "user"]),
    help="What makes a session: its name in the path, /s/NAME/, or the user of each request as well.",
)
@_option(
    "max-sessions",
    default=DEFAULTS.max_sessions,
    type=click.IntRange(min=1),
    help="How many sessions are kept; the one used longest ago ends first.",
)
@_option(
    "session-idle",
    "session_idle_s",
    type=Duration(),
    default="1h",
    metavar="DURATION",
    help="After how long a session ends that nobody uses and nothing is due in.",
)
@_option(
    "callback-url",
    metavar="URL",
    help="Where reports go when neither the request nor its account names a URL.",
)
@_option(
    "allow-callback",
    multiple=True,
    type=Several(),
    metavar="HOST|public",
    help="A host that reports may go to besides loopback and private addresses, or public for all; "
    "may be repeated.",
)
@_option(
    "admin-token",
    metavar="TOKEN",
    help="What the control API and the pages ask for; best set in the environment, as others see a command line.",
)
@_option(
    "allow-host",
    multiple=True,
    type=Several(),
    metavar="NAME",
    help="A name that the control API and the pages answer to besides IP addresses, localhost and names without "
    "a dot; may be repeated.",
)
@_option("no-sandbox-headers", is_flag=True, help="Leave the X-Sandbox headers out of the answers.")
@_option("log", default=DEFAULTS.log, type=click.Choice(["text", "json"]), help="How the log is written.")
@_option(
    "max-messages",
    default=DEFAULTS.max_messages,
    type=click.IntRange(min=1),
    help="How many messages are kept; the oldest finished ones go first.",
)
def command(**options: Any) -> None:
    """Serve the API until Ctrl-C or SIGTERM.

    When it can answer it prints one line to stdout, "panelsms-sandbox ready at http://HOST:PORT"; the log
    goes to stderr. At the end, answers in flight are finished, late ones without further delay, and the last
    line says how many reports were still due. Every option can also be set in the environment, several
    values separated by commas.
    """
    config = _config(**options)
    # Imported here, so that --help and a mistyped option answer at once.
    from sandbox.app import create_app  # noqa: PLC0415
    from sandbox.log import Log  # noqa: PLC0415
    from sandbox.serving import address_of, listen, serve  # noqa: PLC0415

    log = Log(sys.stderr, is_json=config.log == "json")
    app = create_app(config, log=log)
    listener = listen(config.host, config.port)
    address = address_of(listener)
    serve(app, listener, lambda: _announce(address))
    log.flush()
    _say_goodbye(app.state.sessions.reports_due, is_json=config.log == "json")


def _config(
    *,
    readings: tuple[str, ...],
    callback_url: str | None,
    allow_callback: tuple[str, ...],
    allow_host: tuple[str, ...],
    admin_token: str | None,
    no_sandbox_headers: bool,
    **options: Any,
) -> Config:
    """Return the options as the server takes them.

    Raises:
        ConfigError: one cannot work.
    """
    check_mode(options["clock"])
    fault = None if callback_url is None else url_fault(callback_url)
    if fault is not None:
        raise ConfigError(f"--callback-url {fault}")
    for host in allow_callback:
        if not _HOST.fullmatch(host):
            raise ConfigError(f"--allow-callback {host}: name a host alone, such as callbacks.example.com")
    for host in allow_host:
        if not _HOST.fullmatch(host):
            raise ConfigError(f"--allow-host {host}: name a host alone, such as sandbox.example.com")
    if admin_token is not None and not _TOKEN.fullmatch(admin_token):
        raise ConfigError("--admin-token cannot go into a header: write it in visible ASCII, without blanks")
    return Config(
        readings=readings_of(readings),
        callback_url=callback_url,
        allow_callback=allow_callback,
        allow_host=allow_host,
        admin_token=admin_token,
        has_sandbox_headers=not no_sandbox_headers,
        **options,
    )


def _announce(address: str) -> None:
    _say(f"panelsms-sandbox ready at {address}", sys.stdout)
    if sys.stderr.isatty():
        _say(f"  send to  {click.style(f'{address}/sendMtSms.php', bold=True)}", sys.stderr)
        _say(f"  health   {address}/_sandbox/health", sys.stderr)


def _say_goodbye(reports_due: int, *, is_json: bool) -> None:
    if is_json:
        line = json.dumps({"event": "stopped", "reportsDue": reports_due})
    else:
        still_due = {0: "no report was", 1: "1 report was"}.get(reports_due, f"{reports_due} reports were")
        line = f"stopped: {still_due} still due"
    _say(line, sys.stderr)


def _say(line: str, stream: TextIO) -> None:
    """Write a line; a stream that nobody reads any more is no reason to stop serving, or to end otherwise."""
    try:
        click.echo(line, file=stream)
    except OSError:
        # What is left in its buffer would fail once more at the end, and the exit code would tell of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


_TOKEN = re.compile(r"[\x21-\x7e]+")
# A name or an IPv4 address, or an IPv6 address as it is written without brackets; no scheme, port or path.
_HOST = re.compile(r"[^\s/:@?#\[\]]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
