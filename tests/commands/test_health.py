"""The command ``health``."""

import pytest

from sandbox import __version__
from sandbox.app import create_app
from sandbox.config import Config
from sandbox.serving import listen, serving
from tests.command_line import NOBODY, a_sandbox, run, start


def test_health_says_that_a_sandbox_serves() -> None:
    with a_sandbox() as url:
        result = run("health", "--url", url)
    assert (result.exit_code, result.output) == (
        0,
        f"serving: panelsms-sandbox {__version__}, scenario quick\n",
    )


@pytest.mark.parametrize("wait", [(), ("--wait", "--timeout", "50ms"), ("--wait", "--timeout", "0")])
def test_health_says_that_none_serves(wait: tuple[str, ...]) -> None:
    result = run("health", "--url", NOBODY, *wait)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: no answer from http://127.0.0.1:1: connection refused")


def test_health_waits_until_a_sandbox_serves() -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    environment = {"PANELSMS_SANDBOX_PORT": str(port)}
    with (
        start("health", "--wait", "--timeout", "2m", environment=environment) as waiting,
        serving(create_app(Config()), port=port),
    ):
        assert waiting.wait(timeout=60) == 0
