"""A scenario's file, read again whenever it changes; with a mistake in it, what was there stays.

Knows nothing of who plays the scenario. Noticing changes is the job of the library watchfiles, imported when there
is a file to watch.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox import sources
from sandbox.core.difference import differences
from sandbox.errors import ConfigError, SandboxError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.sources import Source

SETTLED_MS: Final = 100
"""How long a file has to be left alone before it is read: some editors write it in pieces."""

LOOKED_EVERY_MS: Final = 1000


class Reading(NamedTuple):
    """What came of reading a file again."""

    file: str
    source: Source | None
    """None: it cannot be played."""
    differences: tuple[str, ...] = ()
    """What it has in place of what was there before; none where only comments or layout changed."""
    mistakes: tuple[str, ...] = ()
    """Why it cannot be played: ``mine.yaml:3:5: there is no key "respnd" here``."""


async def readings(source: Source, *, magic_prefix: str) -> AsyncIterator[Reading]:
    """Yield what comes of reading the file of *source* again, each time that it says something else."""
    from watchfiles import awatch  # noqa: PLC0415 - few watch

    path = _placed(source.file)
    # The folder, since editors put a new file in the place of the old one; and a look every second, since not every
    # mounted folder tells of its changes.
    changes = awatch(
        path.parent,
        watch_filter=lambda _, changed: Path(changed).name == path.name,
        recursive=False,
        step=SETTLED_MS,
        rust_timeout=LOOKED_EVERY_MS,
        yield_on_timeout=True,
    )
    said: bytes | str = source.yaml.encode()
    async for _ in changes:
        before = said
        try:
            said = sources.read_file(source.file).removeprefix(BOM_UTF8)
        except ConfigError as error:
            said = str(error)
        if said == before:
            continue
        reading = _read(source, said, magic_prefix)
        source = reading.source or source
        yield reading


def _placed(file: str) -> Path:
    return Path(file).absolute()


def _read(known: Source, said: bytes | str, magic_prefix: str) -> Reading:
    """Return what *said* is: what the file holds, or why it cannot be read."""
    if isinstance(said, str):
        return Reading(known.file, None, mistakes=(said,))
    try:
        source = sources.written(said, file=known.file, magic_prefix=magic_prefix)
    except SandboxError as error:
        return Reading(known.file, None, mistakes=tuple(str(error).splitlines()))
    return Reading(known.file, source, differences(known.scenario, source.scenario))
