"""The store's verbs that look back on a subscriber's digests."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime

from digest.store.connection import Connections, moment

LAST_LOOKS = """
SELECT d.subscriber_id, CAST(json_extract(b.body, '$.newest') AS BIGINT), d.prepared_at
FROM (
    SELECT subscriber_id, max(digest_on) AS day FROM deliveries
    WHERE subscriber_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) AND digest_on < ?
    AND state NOT IN ('refused', 'cancelled', 'queued', 'deferred')
    GROUP BY subscriber_id
) last
JOIN deliveries d ON d.subscriber_id = last.subscriber_id AND d.digest_on = last.day
JOIN bodies b ON b.delivery_id = d.id
WHERE json_valid(b.body)
"""

WITHOUT_MATCH = """
SELECT d.subscriber_id FROM deliveries d JOIN bodies b ON b.delivery_id = d.id
WHERE d.subscriber_id IN (SELECT CAST(value AS BIGINT) FROM json_each(:people))
AND json_valid(b.body) AND d.digest_on >= :since AND d.digest_on < :before
AND EXISTS (
    SELECT 1 FROM deliveries o WHERE o.subscriber_id = d.subscriber_id AND o.digest_on <= :since
)
GROUP BY d.subscriber_id
HAVING count(*) > 1 AND max(CAST(json_extract(b.body, '$.counts[1]') AS BIGINT)) = 0
AND max(coalesce(json_extract(b.body, '$.hint'), '')) = ''
"""


class PastVerbs(Connections):
    """What earlier digests came to; see `Store` for what each verb promises."""

    def last_looks(
        self, subscriber_ids: Collection[int], before: date
    ) -> Mapping[int, tuple[int, datetime]]:
        """Per subscriber the newest listing their last digest looked at, and when it did."""
        rows = self.rows(LAST_LOOKS, (json.dumps(list(subscriber_ids)), before.isoformat()))
        return {
            subscriber_id: (newest, moment(at))
            for subscriber_id, newest, at in rows
            if newest is not None  # a row from before it was kept
        }

    def without_match(
        self, subscriber_ids: Collection[int], since: date, before: date
    ) -> frozenset[int]:
        """Those for whom nothing matched and nothing was hinted in all that time."""
        people = json.dumps(list(subscriber_ids))
        times = {"since": since.isoformat(), "before": before.isoformat()}
        rows = self.rows(WITHOUT_MATCH, {"people": people, **times})
        return frozenset(row[0] for row in rows)
