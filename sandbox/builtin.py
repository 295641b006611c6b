"""The scenarios that travel in the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import contract
from sandbox.errors import ConfigError, did_you_mean
from sandbox.scenario_files import MAGIC_PREFIX, load

if TYPE_CHECKING:
    from sandbox.core.scenario import Scenario


def builtin_names() -> list[str]:
    """Return the names of the built-in scenarios, sorted."""
    return sorted(path.stem for path in contract.SCENARIOS.glob("*.yaml"))


def load_builtin(name: str, *, magic_prefix: str = MAGIC_PREFIX) -> Scenario:
    """Return a built-in scenario.

    Raises:
        ConfigError: there is none of that name.
    """
    names = builtin_names()
    if name not in names:
        raise ConfigError(f"there is no built-in scenario {name!r}{did_you_mean(name, names)}")
    path = contract.SCENARIOS / f"{name}.yaml"
    return load(
        path.read_bytes(),
        file=path.name,
        reading_rows=contract.reading_rows(),
        codes=[row.code for row in contract.error_codes()],
        magic_prefix=magic_prefix,
    )
