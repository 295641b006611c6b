"""Rules that a test adds to a running scenario: ``sms.when(to="+34600000001").respond(error=7, times=1)``.

Says them as scenario files do, and leaves it to the sandbox to judge them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from sandbox.kit.control import Control


class AddedRule:
    """A rule in the making: it holds from the first `respond` or `dlr` on, before all that were there."""

    def __init__(self, control: Control, when: Mapping[str, Any]) -> None:
        self._control = control
        self._rule: dict[str, Any] = {"when": as_written(when)} if when else {}

    @property
    def name(self) -> str | None:
        """What the sandbox calls it; None before it holds."""
        return self._rule.get("name")

    def respond(
        self,
        *,
        error: int | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        fault: str | None = None,
        delay: str | float | timedelta | Mapping[str, Any] | None = None,
        times: int | None = None,
        submit: bool | None = None,
        before_checks: bool | None = None,
        set_state: str | None = None,
    ) -> Self:
        """Answer so, as ``respond`` of a scenario file does.

        Args:
            error: a code from 1 to 15.
            status: of HTTP, with *headers* and *body*.
            headers: of the answer.
            body: of the answer; may hold ``{{ to }}`` and the other parameters.
            fault: ``reset``, ``empty``, ``truncate``, ``garbage``, ``hang`` or ``drip``.
            delay: ``"250ms"``, seconds, a timedelta, ``{"uniform": ["1s", "3s"]}`` …; goes with any of the others.
            times: after how many requests the rule goes away; None for never.
            submit: whether the message is accepted all the same; by default for *delay* alone and error 3.
            before_checks: whether it is tried before authentication and checks, on whatever comes.
            set_state: the state that the scenario is in afterwards.

        Raises:
            ControlError: it is no rule, with what is wrong.
        """
        respond = {
            "error": error,
            "status": status,
            "headers": headers,
            "body": body,
            "fault": fault,
            "delay": delay,
        }
        return self._hold(
            respond=_given(respond) or None,
            times=times,
            submit=submit,
            before_checks=before_checks,
            set_state=set_state,
        )

    def dlr(self, *steps: str | Mapping[str, Any], times: int | None = None) -> Self:
        """Let matching messages go through *steps*, as ``dlr`` of a scenario file does; none: nothing ever happens.

        Args:
            steps: ``{"after": "5s", "status": "undeliverable", "errorCode": 11}``, or a status that comes at once.
            times: after how many requests the rule goes away; None for never.

        Raises:
            ControlError: it is no timeline, with what is wrong.
        """
        timeline = [{"status": step} if isinstance(step, str) else step for step in steps]
        return self._hold(dlr=timeline, times=times)

    def remove(self) -> None:
        """Drop the rule.

        Raises:
            ControlError: it does not hold, or no longer.
        """
        self._control.ask("DELETE", f"rules/{self._rule.get('name', '')}")

    def _hold(self, **more: Any) -> Self:
        # The one of that name is replaced, so that a second call completes what the first has said.
        self._rule |= as_written(_given(more))
        self._rule["name"] = self._control.ask("POST", "rules", self._rule)["name"]
        return self


def as_written(value: Any) -> Any:
    """Return what JSON can hold of a rule or scenario in Python: a timedelta as seconds, any collection as a list."""
    match value:
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {str(key): as_written(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset() | range():
            return [as_written(each) for each in value]
    return value


def api_names(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return *parameters* under the API's names, in whichever way they are spelled: ``sender_id`` is ``senderId``."""
    return {
        re.sub("_([a-z])", lambda match: match[1].upper(), name): value for name, value in parameters.items()
    }


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
