"""What suppressed people meet on the pages: the same answers as everybody, and a way back."""

from __future__ import annotations

import pytest

from digest.model import Origin, SubscriberState
from digest.store.returned import Reason
from tests.samples import NOW, subscriber
from tests.web.running import Running
from tests.web.sessions import link
from tests.web.signups import ask, letters, link_of

ADA = "ada@example.org"


@pytest.fixture
def known(site: Running) -> Running:
    """A site with one subscriber."""
    site.app.store.put_subscriber(subscriber(ADA, origin=Origin.STORE), NOW)
    return site


def test_the_preferences_say_that_mail_came_back(known: Running) -> None:
    """Who still has a link learns why nothing comes, and what ends it."""
    known.app.store.suppress(ADA, Reason.BOUNCED, "5.1.1", NOW)
    one = known.app.store.subscriber(ADA)
    assert one
    with known.browser() as browser:
        page = browser.post(link(known, one)).text
    assert "gets no mail, as mail to it has come back" in page
    assert 'href="/subscribe">subscribing again</a>' in page


@pytest.mark.parametrize("reason", list(Reason))
def test_o5_n8_a_suppressed_address_gets_the_same_answer(known: Running, reason: Reason) -> None:
    """The page tells nothing; a letter goes to all but those who complained."""
    usual = ask(known, "mary@example.org")
    known.app.store.suppress(ADA, reason, "", NOW)
    answer = ask(known, ADA)
    assert (answer.status_code, answer.content) == (usual.status_code, usual.content)
    written = [letter for letter in letters(known) if letter["To"] == ADA]
    assert len(written) == (reason is not Reason.COMPLAINED)
    if written:
        with known.browser() as browser:
            browser.post(link_of(written[0]))
        one = known.app.store.subscriber(ADA)
        assert one
        assert one.state is SubscriberState.ACTIVE
        assert known.app.store.suppression(ADA) is None
