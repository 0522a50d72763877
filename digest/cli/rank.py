"""`digest rank`: score files of profiles and listings, without a store or a config.

The very matcher of the service. Reads JSONL and TOML, writes TSV. A fault in a file is an error
that names file and line; a keyword that cannot be one is reported and passed over.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from digest.cli.saying import complain, pointed, say
from digest.errors import ConfigError, DigestError, KeywordError
from digest.language import check_term
from digest.matcher import Likes, Matcher, Statistics
from digest.model import Keyword, Listing, Match, Profile
from digest.semantic import find_model

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_Term = TypeVar("_Term", Keyword, str)

EXPLAINED = 10
"""Listings of each profile that are explained when `--top` does not say how many."""


@click.command()
@click.option("--profiles", "profiles_path", type=_file, required=True, help="TOML or JSONL.")
@click.option("--listings", "listings_path", type=_file, required=True, help="JSONL.")
@click.option("--history", type=_file, help="Older listings (JSONL) for statistics.")
@click.option("--likes", type=_file, help="Liked examples: TSV of profile and older listing.")
@click.option("--semantic", help="A model's folder or package: likeness in meaning, too.")
@click.option("--top", type=click.IntRange(1), help="Only the best N of each profile.")
@click.option("--explain", is_flag=True, help="Add a column with the reasons.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Else printed.")
def rank(  # noqa: PLR0913, PLR0917 - one for each option of the command line
    profiles_path: Path,
    listings_path: Path,
    history: Path | None,
    likes: Path | None,
    semantic: str | None,
    top: int | None,
    explain: bool,
    output: Path | None,
) -> None:
    """Score LISTINGS for PROFILES from files: profile, listing, score; best first.

    Term statistics and related terms come from the history and the listings together.
    """
    profiles = _read_profiles(profiles_path)
    listings = _read_listings(listings_path)
    older = _read_listings(history) if history else []
    liked = _read_likes(likes, profiles, [*older, *listings]) if likes else {}
    fresh = listings if older else []
    model = find_model(semantic, Path(), "--semantic") if semantic else None
    matcher = Matcher(Statistics.of([*older, *listings]), older or listings, fresh, model)
    pairs = matcher.pairs(
        [profile for _, profile in profiles], listings, [liked.get(name) for name, _ in profiles]
    )
    ranking = pairs.rank(top or (EXPLAINED if explain else len(listings)))
    with _opened(output) as out:
        for number, (name, _) in enumerate(profiles):
            found = ranking[number]
            told = pairs.matches([number] * len(found), [at for at, _ in found]) if explain else []
            for at, score in found:
                line = [name, listings[at].key, f"{score:.7g}"]
                if explain:
                    line.append(_reasons(told.pop(0)))
                out.write("\t".join(_cell(each) for each in line) + "\n")


def _opened(output: Path | None) -> AbstractContextManager[TextIO]:
    if output is None:
        return nullcontext(sys.stdout)
    try:
        return output.open("w", encoding="utf-8")
    except OSError as error:
        raise DigestError(f"{output}: cannot be written: {error.strerror}") from error


def _cell(text: str) -> str:
    return " ".join(text.split())


def _reasons(match: Match) -> str:
    return "; ".join(
        f"{pointed(r.points)} {r.term}"
        + (f" (only {r.part})" if r.part else f" ({r.field} ×{r.count})")
        + (" learned" if r.learned else " related" if r.related else "")
        for r in match.reasons
    )


# --- reading ----------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each line that is not empty, and its place as `file:line`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read as UTF-8 text: {error}"]) from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{path}:{number}", line


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a JSONL file, each with its place and an `id`."""
    for place, line in _lines(path):
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ConfigError([f"{place}: not a JSON object: {error}"]) from error
        if not isinstance(record, dict) or not isinstance(record.get("id"), str | int):
            raise ConfigError([f'{place}: expected an object with an id, {{"id": "d1", …}}'])
        yield place, record


def _read_listings(path: Path) -> list[Listing]:
    return [
        Listing(
            key=str(record["id"]),
            source=_text(record, "source", place) or "file",
            title=_text(record, "title", place),
            abstract=_text(record, "abstract", place),
            organization=_text(record, "organization", place),
            authors=tuple(_texts(record, "authors", place)),
            subjects=tuple(_texts(record, "categories", place)),
        )
        for place, record in _records(path)
    ]


def _text(record: Mapping[str, Any], name: str, place: str) -> str:
    value = record.get(name) or ""
    if not isinstance(value, str):
        raise ConfigError([f"{place}: {name} must be a text, not {value!r:.40}"])
    return value


def _texts(record: Mapping[str, Any], name: str, place: str) -> list[str]:
    value = record.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigError([f"{place}: {name} must be a list of texts, not {value!r:.40}"])
    return value


def _read_profiles(path: Path) -> list[tuple[str, Profile]]:
    """The profiles by id, in the order of the file."""
    records = _toml_records(path) if path.suffix == ".toml" else _records(path)
    profiles: dict[str, Profile] = {}
    for place, record in records:
        name = str(record["id"])
        if name in profiles:
            raise ConfigError([f"{place}: the id {name!r} stands twice"])
        profiles[name] = Profile(
            keywords=tuple(_usable(_keywords(record, place), place)),
            exclude=tuple(_usable(_texts(record, "exclude", place), place)),
            related=bool(record.get("related", True)),
        )
    return list(profiles.items())


def _toml_records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables `[[profiles]]` (with an id) or `[[subscribers]]` (by email) of a TOML file."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{path}: {error}"]) from error
    found = tables.get("profiles") or tables.get("subscribers")
    if not isinstance(found, list):
        raise ConfigError([f"{path}: expected tables [[profiles]] with an id and keywords"])
    for number, record in enumerate(found, 1):
        place = f"{path}: profile {number}"
        name = record.get("id", record.get("email")) if isinstance(record, dict) else None
        if not isinstance(name, str | int):
            raise ConfigError([f'{place}: expected an id, such as id = "p1"'])
        yield place, {**record, "id": name}


def _keywords(record: Mapping[str, Any], place: str) -> list[Keyword]:
    """Keywords written as a list of {term, weight}, or as a table of term = weight."""
    given = record.get("keywords") or []
    if isinstance(given, dict):
        given = [{"term": term, "weight": weight} for term, weight in given.items()]
    keywords = []
    for each in given if isinstance(given, list) else [None]:
        term = each.get("term") if isinstance(each, dict) else each
        weight = each.get("weight", 1.0) if isinstance(each, dict) else 1.0
        good = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not isinstance(term, str) or not good or not -100 <= weight <= 100:
            raise ConfigError(
                [f'{place}: expected keywords such as {{"term": "flash attention", "weight": 1.0}}']
            )
        if weight:
            keywords.append(Keyword(term, float(weight)))
    return keywords


def _usable(terms: Iterable[_Term], place: str) -> Iterator[_Term]:
    """The terms that can be keywords; of the others a line is said."""
    for each in terms:
        try:
            check_term(each.term if isinstance(each, Keyword) else each)
            yield each
        except KeywordError as error:
            complain(f"{place}: passed over: {error}")


def _read_likes(
    path: Path, profiles: Sequence[tuple[str, Profile]], stored: Sequence[Listing]
) -> dict[str, Likes]:
    """What each profile has liked, from lines of profile, tab, listing."""
    known, names = {each.key: each for each in stored}, {name for name, _ in profiles}
    liked: dict[str, Likes] = {}
    for place, line in _lines(path):
        name, _, key = line.rstrip("\r\n").partition("\t")
        if name not in names or key not in known:
            what = f"profile {name!r}" if name not in names else f"listing {key!r}"
            raise ConfigError([f"{place}: there is no {what} (expected profile, tab, listing)"])
        before = liked.get(name, Likes())
        liked[name] = replace(before, liked=(*before.liked, known[key]))
    return liked


if __name__ == "__main__":
    try:
        rank(standalone_mode=True)
    except DigestError as fault:
        say(f"Error: {fault}", err=True)
        sys.exit(fault.exit_code)
