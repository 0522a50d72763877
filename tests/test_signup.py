"""The rules of signing up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.signup import is_within, masked, network_of
from tests.samples import NOW


@pytest.mark.parametrize(
    ("client", "network", "kept"),
    [
        ("192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "", ""),
        ("unix socket", "unix socket", ""),
    ],
)
def test_o4_o6_what_counts_as_one_visitor(client: str, network: str, kept: str) -> None:
    """An IPv4 address and an IPv6 /64 are one visitor; less than that is kept as proof."""
    assert (network_of(client), masked(client)) == (network, kept)


def test_a_link_lasts_as_long_as_it_says() -> None:
    """From its issue to its end, neither before nor after."""
    span = timedelta(hours=48)
    assert is_within(NOW, NOW, span)
    assert is_within(NOW, NOW + span, span)
    assert not is_within(NOW, NOW + span + timedelta(seconds=1), span)
    assert not is_within(NOW, NOW - timedelta(minutes=1), span)
