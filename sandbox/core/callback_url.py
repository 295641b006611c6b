"""What makes a callback URL usable. Knows nothing of reports, or of which addresses may be reached."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from sandbox.core.spelling import excerpt, spell


@lru_cache(maxsize=64)  # most applications have one
def url_fault(url: str) -> str | None:
    """Say what makes *url* unusable for reports, None when it is an absolute http or https URL."""
    blank = _UNSENDABLE.search(url)
    if blank is not None:
        return f"has {spell(blank[0])} at position {blank.start() + 1}: percent-encode it"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"{excerpt(url)} is not a URL: {error}"
    if parts.scheme not in {"http", "https"}:
        return f"{excerpt(url)} does not begin with http:// or https://"
    if not parts.hostname or port == 0:
        return f"{excerpt(url)} names no host and port to connect to"
    return None


_UNSENDABLE = re.compile("[\x00-\x20\x7f-\x9f\\\\]")
