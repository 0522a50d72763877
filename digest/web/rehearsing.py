"""The forecast of a profile for a page, over the stored days.

Reading a month of listings takes a second, so that it is done once while nothing is added; one
forecast is made at a time, or a crowd of visitors would hold up the mail.
"""

from __future__ import annotations

from datetime import timedelta

from starlette.exceptions import HTTPException

from digest.forecast import Forecast, forecast
from digest.model import Profile
from digest.web.site import Visit

DAYS = 30
MOST = 20_000
"""Listings, the newest; a month of many sources may hold more than a page can wait for."""
PATIENCE_S = 8.0


def forecast_of(visit: Visit, profile: Profile) -> Forecast:
    """What the profile would have brought. Raises: HTTPException 503 when others are before it."""
    archive, store = visit.site.archive, visit.app.store
    if not archive.lock.acquire(timeout=PATIENCE_S):
        raise HTTPException(503)
    try:
        matcher = visit.app.matcher(visit.now)
        key = (store.counted_listings(), visit.now.date())
        if archive.batch is None or archive.key != key:
            stored = store.candidates(visit.now - timedelta(days=DAYS))[-MOST:]
            archive.key, archive.batch = key, matcher.read(stored)
        return forecast(matcher, profile, archive.batch.listings, archive.batch)
    finally:
        archive.lock.release()
