"""What has happened in a sandbox, as lists that stay as they are: messages, requests, callbacks, oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.kit.assertions import chosen, conditions, matching, pages
from sandbox.kit.records import Callback, Message, Request

if TYPE_CHECKING:
    from sandbox.kit.control import Control

R = TypeVar("R", Message, Request, Callback)


class Records(list[R]):
    """Records of one kind as they were when they were asked for."""

    @property
    def last(self) -> R:
        """The newest.

        Raises:
            IndexError: there is none.
        """
        if not self:
            raise IndexError(f"there are no {type(self).__name__.lower()} yet")
        return self[-1]


class Messages(Records[Message]):
    """Accepted messages."""

    def __init__(self, control: Control) -> None:
        super().__init__(map(Message, reversed(pages(control, "messages"))))
        self._control = control

    def where(self, *, status: str | None = None, text: str | None = None, **when: Any) -> list[Message]:
        """Return those that meet all that is given.

        Args:
            status: the very status.
            text: a part of the text.
            when: as a rule's ``when``: ``to={"prefix": "+34"}``.
        """
        return [
            each
            for each in chosen(self, matching(self._control, "messages", conditions(when)))
            if (status is None or each.status == status) and (text is None or text in (each.text or ""))
        ]


class Requests(Records[Request]):
    """Calls to the endpoint, refused ones too."""

    def __init__(self, control: Control) -> None:
        super().__init__(map(Request, reversed(pages(control, "requests"))))


class Callbacks(Records[Callback]):
    """Reports, each with its attempts."""

    def __init__(self, control: Control) -> None:
        super().__init__(map(Callback, control.get("callbacks")["callbacks"]))
