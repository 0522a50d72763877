"""The command that tries a profile on the stored days."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from digest.cli.options import clock, config_option, json_option, opened, wanted
from digest.cli.saying import counted, print_json, print_table, say
from digest.errors import DigestError
from digest.forecast import Forecast, TermForecast, chart
from digest.forecast import forecast as make_forecast
from digest.learning import likes_of
from digest.model import Match
from digest.tex import readable


@click.command()
@config_option
@json_option
@click.argument("profile")
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=30,
    show_default=True,
    help="How many stored days to look back on.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write items a day as a chart (SVG) to this file.",
)
def forecast(
    config_path: Path, profile: str, days: int, plot: Path | None, *, as_json: bool
) -> None:
    """Show what PROFILE (an address or a TOML file) would have brought."""
    with opened(config_path) as app:
        now = clock()
        one = wanted(app, profile)
        listings = app.store.candidates(now - timedelta(days=days))
        if not listings:
            raise DigestError(f"no listing is stored of the last {days} days; run `digest ingest`")
        (likes,) = likes_of(app.store, [one])
        made = make_forecast(app.matcher(now), one.profile, listings, likes=likes)
    if plot:
        plot.write_text(chart(made, standalone=True), "utf-8")
    if as_json:
        print_json({**asdict(made), "per_day": round(made.per_day, 2)})
    else:
        _print(made)
    if plot:
        say(plot)


def _print(made: Forecast) -> None:
    """Items a day, the best, those that just pass, and what each keyword does."""
    most = max(day.shown for day in made.days)
    floor = f"floor {made.floor:.2f}" + (f", fitted to {made.wanted} a day" if made.wanted else "")
    say(
        f"{made.per_day:.1f} items a day over {counted(len(made.days), 'day')} "
        f"with {made.listings:,} listings; at most {most} on one day, {floor}"
    )
    if made.waiting:
        say(f"{made.waiting:,} more passed the floor; they come as titles, or wait for another day")
    _print_picks("the best", made.best)
    _print_picks("just above the floor", made.worst)
    if made.terms:
        say()
        print_table(
            ("keyword", "weight", "in listings", "only because of it", ""),
            [
                (term.term, f"{term.weight:g}", f"{term.found:,}", f"{term.alone:,}", _word(term))
                for term in made.terms
            ],
        )


def _word(term: TermForecast) -> str:
    if not term.found:
        return "never matches"
    return "very common" if term.noisy else ""


def _print_picks(title: str, matches: tuple[Match, ...]) -> None:
    if matches:
        say()
        say(title)
        for match in matches:
            say(f"  {match.score:.2f}  {readable(match.listing.title)}")
