"""The forecast of a profile for a page, over the stored days.

Reading a month of listings takes a second, so that it is done once while nothing is added; one
forecast is made at a time, or a crowd of visitors would hold up the mail. Who waits for it holds
one of the site's threads: few may, so that the other pages are served meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.forecast import Forecast, forecast
from digest.learning import likes_of
from digest.model import Profile, Subscriber
from digest.web.settings import Fault
from digest.web.site import Visit

PATIENCE_S = 8.0
RETRY_S = 10

CROWDED = Fault("", "others are trying their profiles just now. Wait a moment and press it again.")
"""What the form says then; nothing that was typed is lost."""


class CrowdedError(HTTPException):
    """Others are before us: 503, to be tried again in some seconds."""

    def __init__(self) -> None:
        super().__init__(503, headers={"retry-after": str(RETRY_S)})


def forecast_of(visit: Visit, profile: Profile, one: Subscriber | None = None) -> Forecast:
    """What the profile would have brought to someone, with what they liked where it counts.

    Raises: CrowdedError when others are before it.
    """
    site = visit.site
    if not site.places.acquire(blocking=False):
        raise CrowdedError
    try:
        if not site.forecasting.acquire(timeout=PATIENCE_S):
            raise CrowdedError
        try:
            app, month = visit.app, visit.app.month(visit.now)
            (likes,) = likes_of(app.store, [replace(one, profile=profile)]) if one else (None,)
            return forecast(app.matcher(visit.now), profile, month.listings, month, likes)
        finally:
            site.forecasting.release()
    finally:
        site.places.release()


def if_free(visit: Visit, made: Callable[[], str]) -> str | None:
    """What `made` gives of the stored days; None while a forecast is made, for nobody waits."""
    site = visit.site
    if not site.forecasting.acquire(blocking=False):
        return None
    try:
        return made()
    finally:
        site.forecasting.release()


def crowded(answer: Response) -> Response:
    """The form again, as an answer that says when to come back."""
    answer.headers["retry-after"] = str(RETRY_S)
    return answer
