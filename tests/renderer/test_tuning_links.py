"""Links by which a reader judges a listing, and whole abstracts."""

from __future__ import annotations

import quopri
import re
from dataclasses import replace
from pathlib import Path

from digest.model import Abstracts, Match, Message, PersonalLinks, Profile, SectionName, Subscriber
from digest.renderer.excerpt import LONGEST_FULL
from digest.tokens import Tokens
from tests.renderer.colours import dark_rules, painted
from tests.renderer.mails import (
    FRAME,
    LINKS,
    MATCH,
    NOW,
    digest,
    listing,
    render,
    shown_text,
    styles,
    tree,
)
from tests.renderer.rules import all_in_one

TUNE = "https://example.org/tune/ghi"
TUNED = PersonalLinks(LINKS.manage, LINKS.unsubscribe, TUNE)
STORED = replace(MATCH, listing=listing(id=12))
OTHER = replace(MATCH, listing=listing(id=13, key="b", title="Second"))


def tuned(*matches: Match, section: SectionName = SectionName.FOR_YOU) -> Message:
    """A mail with tuning links."""
    return render(digest(*(matches or (STORED,)), section=section), links=TUNED)


def tuning(mail: Message) -> dict[str, str]:
    """Where each tuning link leads, by what is shown."""
    found = (one for one in tree(mail.html).iter("a") if "tune" in one.get("class", "").split())
    return {shown_text(one): one.get("href", "") for one in found}


def test_each_listing_can_be_judged() -> None:
    """Four links lead to pages of the listing's own row."""
    assert tuning(tuned()) == {
        "More like this": f"{TUNE}/more/12",
        "Less like this": f"{TUNE}/less/12",
        "Mute a term": f"{TUNE}/mute/12",
        "Follow an author": f"{TUNE}/follow/12",
    }


def test_b6_the_text_leads_to_a_page_with_all_four() -> None:
    """The parts lead to the same places, but that in the text one page stands for a listing's four.

    Four long addresses beside each listing would bury it in a terminal.
    """
    mail = tuned(STORED, OTHER)
    linked = {str(one.get("href")) for one in tree(mail.html).iter("a")}
    assert len({url for url in linked if url.startswith(TUNE)}) == 8
    assert set(re.findall(r"https?://\S+", mail.text)) == all_in_one(linked)
    assert re.findall(rf"{TUNE}\S*", mail.text) == [f"{TUNE}/12", f"{TUNE}/13"]


def test_without_pages_there_are_no_links() -> None:
    """Nothing speaks of tuning where no page answers."""
    mail = render(digest(STORED))
    assert not tuning(mail)
    assert "Tune" not in mail.text


def test_only_stored_listings_that_are_shown_in_full_can_be_judged() -> None:
    """What has no row has no page, and a mere title no room."""
    assert not tuning(tuned(MATCH))
    assert not tuning(tuned(STORED, section=SectionName.SHORT))


def test_nobody_can_be_followed_where_no_author_is_known() -> None:
    """A listing without authors has the other three links."""
    nameless = replace(MATCH, listing=listing(id=12, authors=()))
    assert "Follow an author" not in tuning(tuned(nameless))
    assert len(tuning(tuned(nameless))) == 3


def test_an_unsafe_address_is_no_link() -> None:
    """The address where tuning begins is held to the rules of any address."""
    bad = replace(TUNED, tune="javascript:alert(1)//")
    assert not tuning(render(digest(STORED), links=bad))


def test_r4_r8_tuning_links_have_names_of_their_own_and_room() -> None:
    """Each has a name of its own that begins with what is shown, and a line of 44 px."""
    made = tree(tuned(STORED, OTHER).html)
    links = list(made.iter("a"))
    names = [one.get("aria-label") or shown_text(one) for one in links]
    assert len(set(names)) == len(names)
    for one in links:
        if "tune" in one.get("class", "").split():
            assert str(one.get("aria-label")).startswith(shown_text(one))
            assert styles(one)["display"] == "inline-block"  # so that it is as high as its line
            assert styles(one)["text-decoration"] == "underline"
    lines = [one for one in made.iter("p") if one.get("class") == "tuning"]
    assert [styles(one)["line-height"] for one in lines] == ["44px", "44px"]


def test_b8_twelve_long_titled_listings_with_tuning_links_stay_under_the_limit() -> None:
    """With an address of the usual length twelve take 60 kB, 1.4 kB of each its four links."""
    links = replace(TUNED, tune="https://digest.example.org/tune/" + "x" * 62)
    twelve = [
        replace(MATCH, listing=listing(id=n, key=f"k{n}", title="Draft models " * 9))
        for n in range(1, 13)
    ]
    sizes = [len(encoded(render(digest(*twelve), links=one).html)) for one in (links, LINKS)]
    assert sizes[0] < 62_000
    assert sizes[0] - sizes[1] < 12 * 1_400


def test_r5_tuning_links_have_contrast() -> None:
    """They are quiet, and readable in both schemes."""
    for rules in ({}, dark_rules(dict(FRAME.templates)["dark.css"])):
        assert all(one.contrast >= 4.5 for one in painted(tree(tuned().html), rules))


def encoded(html: str) -> bytes:
    """The HTML as it is sent."""
    return quopri.encodestring(html.encode())


def whole(abstract: str) -> str:
    """The text of a mail to someone who wants whole abstracts, on one line."""
    person = Subscriber("ada@example.org", Profile(abstracts=Abstracts.FULL))
    made = replace(MATCH, listing=listing(abstract=abstract))
    return " ".join(render(digest(made, subscriber=person)).text.split())


def test_whole_abstracts_are_shown_to_who_asks() -> None:
    """Every sentence is there, in both parts; a mail to someone else shows the first ones."""
    assert MATCH.listing.abstract in whole(MATCH.listing.abstract)
    assert "Nothing else is shown." not in render().text


def test_no_abstract_fills_a_mail_alone() -> None:
    """What is far too long for an abstract is cut, with an ellipsis."""
    text = whole("word " * 5_000)
    assert LONGEST_FULL - 100 < text.count("word ") * 5 <= LONGEST_FULL
    assert "word…" in text


def test_real_mails_have_tuning_links_and_the_golden_ones_show_them() -> None:
    """The links of a service's own tokens begin the address under which its pages answer."""
    made = Tokens(["a secret of ours"]).links("https://example.org", 7, NOW)
    links = tuning(render(digest(STORED), links=made))
    assert len(links) == 4
    assert all(url.startswith("https://example.org/tune/") for url in links.values())
    golden = (Path(__file__).parent / "corpus" / "sections.eml").read_text("utf-8")
    assert "/tune/" in golden
