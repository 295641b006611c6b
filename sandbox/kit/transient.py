"""A carrier for an application that nobody tells of its end: it keeps no connection beyond what is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.carrier import HttpCarrier

if TYPE_CHECKING:
    from sandbox.carrier import Outcome, Parcel


class TransientCarrier(HttpCarrier):
    """Carries parcels, and lets go of every connection when there is no more to carry."""

    _under_way = 0

    async def carry(self, parcel: Parcel) -> Outcome:
        """Send *parcel* once and return what came of it."""
        self._under_way += 1
        try:
            return await super().carry(parcel)
        finally:
            self._under_way -= 1
            if not self._under_way:
                await self.close()
