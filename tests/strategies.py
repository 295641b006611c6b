"""Hypothesis strategies that more than one file of tests draws from."""

from hypothesis import strategies as st

from sandbox.core.model import Unreadable, Value
from sandbox.core.parameters import PARAMETERS
from sandbox.testing import valid_requests

# Values on the edge of something, for whichever parameter they end up in.
_TELLING = (
    *("", " ", "0", "1", "2", "3", "4", "8", "00", "true", "FALSE", "json", "XML", "key", "you@example.com"),
    *("+1222333444", " 1222333444", "1222333444", "+1 222 333 444", "+34600000001", "recipient"),
    *("0100", "00", "050003CC0201", "050003CC0203", "0500", "06050415811581", "5F", "8B" + "00" * 139),
    *("2024-01-15T12:00:01Z", "2024-01-20 15:30", "2401201530", "000002000000000R", "3600", "9" * 20),
    *("a" * 160, "a" * 161, "€" * 80, "€" * 81, "ó" * 70, "ó" * 71, "\U0001f600" * 36),
    *("00" * 140, "00" * 141, "\x00", "\x1b", "e\u0301", "%2B1222333444"),
    *("http://127.0.0.1:9000/dlr", "http://[", "javascript:alert(1)"),
)

readable_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)

unreadable = st.builds(Unreadable, st.just("is not text"), st.none() | st.binary(max_size=200))

values: st.SearchStrategy[Value] = st.sampled_from(_TELLING) | readable_text | unreadable
"""Any value that reading a request can make."""

names = st.sampled_from(sorted(PARAMETERS)) | st.sampled_from(["apikey", "TO", "page", ""])

parameters: st.SearchStrategy[dict[str, Value]] = st.dictionaries(names, values, max_size=14)

likely_parameters: st.SearchStrategy[dict[str, Value]] = st.builds(
    lambda valid, some: {**valid, **some}, valid_requests(), parameters
)
"""Such that many pass the first checks."""

telling_octets = (
    st.sampled_from(_TELLING).map(str.encode)
    | st.sampled_from(
        [b"%", b"%2", b"%zz", b"%2B1222333444", b"+1222333444", b"%FF", b"\xff", b"%252B1", b"%25"]
    )
    | st.binary(max_size=40)
)
"""Values as they may stand in a query string, encoded or not."""
