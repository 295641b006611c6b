"""The scenarios that travel in the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.core.scenario import MAGIC_PREFIX
from sandbox.sources import builtin, builtin_names

if TYPE_CHECKING:
    from sandbox.core.scenario import Scenario

__all__ = ["builtin_names", "load_builtin"]


def load_builtin(name: str, *, magic_prefix: str = MAGIC_PREFIX) -> Scenario:
    """Return a built-in scenario.

    Raises:
        ConfigError: there is none of that name, or *magic_prefix* begins no number.
    """
    return builtin(name, magic_prefix=magic_prefix).scenario
