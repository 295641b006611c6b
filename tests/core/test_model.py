import pytest

from sandbox.core.model import Callback
from tests.worlds import a_message


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"status":"delivered","errorCode":null}', {"status": "delivered", "errorCode": None}),
        ("{}", {}),
        ("", ""),
        ('{"status":"deliv', '{"status":"deliv'),
        ("[1]", "[1]"),
        ('"delivered"', '"delivered"'),
        ("null", "null"),
        (None, None),
    ],
)
def test_a_body_is_shown_as_the_object_that_it_is_and_else_as_it_was_sent(
    body: str | None, shown: object
) -> None:
    callback = Callback(1, a_message(), "http://localhost:9000/dlr", "GET" if body is None else "POST", body)
    assert callback.shown_body == shown
