"""panelsms-sandbox: a stand-in for the provider's SMS API that answers exactly and reports on time.

PYTEST_DONT_REWRITE: where a program imports this before it runs pytest, that would warn that it came too late.
"""

import typing as _typing

if _typing.TYPE_CHECKING:
    from sandbox.embedded import Sandbox
    from sandbox.errors import SandboxError
    from sandbox.kit.answer import Answer
    from sandbox.kit.receiver import Receiver
    from sandbox.kit.records import Attempt, Callback, Message, Report, Request

__all__ = [
    "Answer",
    "Attempt",
    "Callback",
    "Message",
    "Receiver",
    "Report",
    "Request",
    "Sandbox",
    "SandboxError",
    "__version__",
]

__version__ = "0.1.0"

_HOMES = {
    "Answer": "kit.answer",
    "Attempt": "kit.records",
    "Callback": "kit.records",
    "Message": "kit.records",
    "Receiver": "kit.receiver",
    "Report": "kit.records",
    "Request": "kit.records",
    "Sandbox": "embedded",
    "SandboxError": "errors",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: who serves needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - likewise

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
