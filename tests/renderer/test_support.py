"""Which mail programs know what the mail uses, by the tables of caniemail.com (rule R9)."""

from __future__ import annotations

import json
import re
from functools import cache

from tests.packages import packaged
from tests.renderer.mails import styles, tree
from tests.renderer.test_browser import pages

PROGRAMS = {
    ("apple-mail", "macos"), ("apple-mail", "ios"),
    ("gmail", "desktop-webmail"), ("gmail", "ios"), ("gmail", "android"),
    ("outlook", "windows"), ("outlook", "outlook-com"), ("outlook", "macos"), ("outlook", "ios"),
    ("outlook", "android"), ("yahoo", "desktop-webmail"), ("thunderbird", "macos"),
    ("samsung-email", "android"),
}  # fmt: skip
"""Those that most people read with."""

EXTRAS = {
    "html-body": "its colours stand on the first element inside as well",
    "css-min-width": "a larger target for fingers; the link works without it",
    "css-max-height": "hides the preheader a second time, beside display: none",
    "css-overflow": "hides the preheader a second time, beside display: none",
    "css-overflow-wrap": "breaks words of 60 letters, beside word-break",
    "css-word-break": "breaks words of 60 letters, beside overflow-wrap",
    "html-aria-label": "a longer name for screen readers; the text is a name as well",
    "html-aria-hidden": "keeps the preheader from being read twice",
    "css-at-media-prefers-color-scheme": "the dark scheme",
}
"""What some of them do not know, and why the mail is whole without it."""

ELSEWHERE = {
    "color": "no table for it: every program has it",
    "font-family": "as above", "font-style": "as above", "border-bottom": "as css-border",
    "mso-hide": "Word's own", "mso-line-height-rule": "Word's own",
}  # fmt: skip
"""Properties without a table of their name."""


@cache
def tables() -> dict[str, dict[str, str]]:
    """Of each feature by its name the newest verdict of each of our programs: y, a, n or u."""
    data = json.loads(packaged("caniemail", "data/caniemail.json"))["data"]
    found = {}
    for feature in data:
        verdicts = {}
        for program, system in PROGRAMS:
            versions = feature["stats"].get(program, {}).get(system, {})
            if versions:
                verdicts[f"{program} {system}"] = str(versions[list(versions)[-1]])[:1]
        found[str(feature["slug"])] = verdicts
    return found


@cache
def used() -> frozenset[str]:
    """The properties, elements and attributes of all golden mails, as caniemail names them."""
    features = set()
    for html in pages().values():
        for one in tree(html).iter():
            if not isinstance(one.tag, str):
                continue
            features |= {f"css-{name}" for name in styles(one) if name not in ELSEWHERE}
            features |= {f"html-{name}" for name in (one.tag, *one.attrib)}
        features |= {"css-at-media-prefers-color-scheme"} & {
            f"css-at-media-{name}" for name in re.findall(r"@media \((prefers-color-scheme)", html)
        }
    return frozenset(features)


def test_r9_every_property_has_a_table() -> None:
    """Nothing is used that nobody has tried in mail programs."""
    unknown = {one for one in used() if one.startswith("css-")} - set(tables())
    assert not unknown


def test_r9_mail_programs_know_what_the_mail_needs() -> None:
    """What a program does not know is an extra, with the reason why the mail is whole without.

    An extra that is no longer used, or that all have come to know, is no exception to keep.
    """
    lacking = {one for one in used() & set(tables()) if "n" in tables()[one].values()}
    assert lacking == set(EXTRAS)
