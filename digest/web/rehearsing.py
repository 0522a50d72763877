"""The forecast of a profile for a page, over the stored days.

Reading a month of listings takes a second, so that it is done once while nothing is added; one
forecast is made at a time, or a crowd of visitors would hold up the mail.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException

from digest.forecast import Forecast, forecast
from digest.model import Profile
from digest.web.site import Visit

PATIENCE_S = 8.0


def forecast_of(visit: Visit, profile: Profile) -> Forecast:
    """What the profile would have brought. Raises: HTTPException 503 when others are before it."""
    lock = visit.site.forecasting
    if not lock.acquire(timeout=PATIENCE_S):
        raise HTTPException(503)
    try:
        month = visit.app.month(visit.now)
        return forecast(visit.app.matcher(visit.now), profile, month.listings, month)
    finally:
        lock.release()
