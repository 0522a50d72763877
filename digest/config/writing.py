"""Subscribers and sources back as the TOML they came from."""

from __future__ import annotations

from typing import Any

import tomli_w

from digest.config.times import write_every
from digest.model import Source, Subscriber


def profile_toml(subscriber: Subscriber) -> str:
    """One `[[subscribers]]` table; read back it gives the same settings."""
    return tomli_w.dumps({"subscribers": [subscriber_table(subscriber)]})


def subscriber_table(subscriber: Subscriber) -> dict[str, Any]:
    """The keys of one subscriber with plain values, in the order of the reference.

    Optional keys are left out where they say nothing.
    """
    profile = subscriber.profile
    table: dict[str, Any] = {
        "email": subscriber.email,
        "name": subscriber.name,
        "timezone": subscriber.timezone,
        "send_at": f"{subscriber.send_at:%H:%M}",
        "days": list(subscriber.days),
        "min_score": profile.min_score,
        "max_items": profile.max_items,
        "per_day": profile.per_day,
        "trending": profile.trending,
        "when_empty": profile.when_empty.value,
        "abstracts": profile.abstracts.value,
        "related": profile.related,
        "learn": profile.learn,
        "authors": list(profile.authors),
        "organizations": list(profile.organizations),
        "exclude": list(profile.exclude),
        "keywords": {keyword.term: _number(keyword.weight) for keyword in profile.keywords},
    }
    return {key: value for key, value in table.items() if value not in ("", None, [])}


def source_table(source: Source) -> dict[str, Any]:
    """The keys of one source with plain values."""
    table: dict[str, Any] = {
        "name": source.name,
        "kind": source.kind,
        "url": source.url,
        "path": source.path,
        "categories": list(source.categories),
        "query": source.query,
        "every": write_every(source.every_s),
        "max_age_days": source.max_age_days if source.max_age_days is not None else False,
    }
    kept = ("max_age_days",)  # false says something here
    return {key: value for key, value in table.items() if value or key in kept}


def _number(weight: float) -> float | int:
    """A whole weight without its point."""
    return int(weight) if weight.is_integer() else weight
