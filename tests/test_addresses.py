"""The addresses that are mailed, and those that are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.addresses import AddressError, check_address, check_domain, is_free_mail
from digest.errors import DigestError

GOOD = [
    ("ada@example.org", "ada@example.org"),
    ("Ada.Lovelace@example.org", "Ada.Lovelace@example.org"),
    ("ada+papers@example.org", "ada+papers@example.org"),
    ("a@b.co", "a@b.co"),
    ("1815@example.org", "1815@example.org"),
    ("_ada_@example.org", "_ada_@example.org"),
    ("ada-l@example.org", "ada-l@example.org"),
    ("-ada@example.org", "-ada@example.org"),
    ("o'hara@example.org", "o'hara@example.org"),
    ("a!b@example.org", "a!b@example.org"),
    ("a#b@example.org", "a#b@example.org"),
    ("a$b@example.org", "a$b@example.org"),
    ("a%b@example.org", "a%b@example.org"),
    ("a&b@example.org", "a&b@example.org"),
    ("a*b@example.org", "a*b@example.org"),
    ("a/b@example.org", "a/b@example.org"),
    ("a=b@example.org", "a=b@example.org"),
    ("a?b@example.org", "a?b@example.org"),
    ("a^b@example.org", "a^b@example.org"),
    ("a`b@example.org", "a`b@example.org"),
    ("{a|b}~@example.org", "{a|b}~@example.org"),
    ("a.b.c.d@example.org", "a.b.c.d@example.org"),
    ("ada@EXAMPLE.ORG", "ada@example.org"),
    ("ada@mail.example.org", "ada@mail.example.org"),
    ("ada@a.b.c.d.example.org", "ada@a.b.c.d.example.org"),
    ("ada@my-site.example", "ada@my-site.example"),
    ("ada@r3---sn.example.org", "ada@r3---sn.example.org"),
    ("ada@3com.example", "ada@3com.example"),
    ("ada@123.example", "ada@123.example"),
    ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
    ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
    ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
    ("ada@faß.example", "ada@xn--fa-hia.example"),
    ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
    ("ada@пример.испытание", "ada@xn--e1afmkfd.xn--80akhbyknj4f"),
    ("ada@ｅｘａｍｐｌｅ.org", "ada@example.org"),
    ("ada@example。org", "ada@example.org"),
    (f"{'a' * 64}@example.org", f"{'a' * 64}@example.org"),
    (f"ada@{'a' * 63}.org", f"ada@{'a' * 63}.org"),
    (f"a@{'.'.join(['a' * 49] * 5)}.eu", f"a@{'.'.join(['a' * 49] * 5)}.eu"),
]

BAD = [
    "",
    " ",
    "@",
    "ada",
    "ada@",
    "@example.org",
    "ada@@example.org",
    "ada@b@example.org",
    "ada example@example.org",
    " ada@example.org",
    "ada@example.org ",
    "ada@ example.org",
    "ada @example.org",
    "ada@exam ple.org",
    "ada@example.org\n",
    "ada@example.org\r\nRCPT TO:<eve@evil.example>",
    "ada\r@example.org",
    "ada\n@example.org",
    "ada\t@example.org",
    "ada\0@example.org",
    "ada\x7f@example.org",
    "ada@example.org\0",
    "ada@example\u2028.org",
    "ada@exa\u0000mple.org",
    "<ada@example.org>",
    "Ada <ada@example.org>",
    "ada@example.org>",
    "ada@<example.org",
    "ada@example.org,eve@evil.example",
    "ada@example.org;eve@evil.example",
    "ada@example.org eve@evil.example",
    "alice@example.org)bob@evil.example",
    "alice@example.org(bob",
    "ada(comment)@example.org",
    "ada@(comment)example.org",
    '"ada"@example.org',
    '"a b"@example.org',
    '"a@b"@example.org',
    "a\\b@example.org",
    "a,b@example.org",
    "a;b@example.org",
    "a:b@example.org",
    "a[b]@example.org",
    "a<b@example.org",
    ".ada@example.org",
    "ada.@example.org",
    "ada..l@example.org",
    ".@example.org",
    "ü@example.org",
    "müller.k@example.org",
    "用户@example.org",
    "аda@example.org",
    "ada😀@example.org",
    "ada@localhost",
    "ada@org",
    "ada@.example.org",
    "ada@example..org",
    "ada@example.org.",
    "ada@-example.org",
    "ada@example-.org",
    "ada@exa_mple.org",
    "ada@exa!mple.org",
    "ada@example.org/path",
    "ada@example.org:25",
    "ada@[127.0.0.1]",
    "ada@[IPv6:::1]",
    "ada@127.0.0.1",
    "ada@127.1",
    "ada@0x7f.1",
    "ada@2130706433",
    "ada@example.123",
    "ada@xn--zzzz99999.example",
    "ada@xn--a.example",
    "ada@xn--.example",
    "ada@☃.example",
    "ada@bü cher.example",
    "ada@\u202eexample.org",
    "ada@exämple..org",
    "ada@exämple＠evil.example",
    "ada@\ud800.example",
    f"{'a' * 65}@example.org",
    f"ada@{'a' * 64}.org",
    f"ada@{'ü' * 63}.org",
    f"ada@{'.'.join(['a' * 60] * 5)}.org",
    f"{'a' * 64}@{'.'.join(['b' * 47] * 4)}.org",
    "a" * 100_000,
    f"a@{'ü' * 100_000}.org",
]


@pytest.mark.parametrize(("text", "address"), GOOD)
def test_o8_good_addresses_are_kept(text: str, address: str) -> None:
    """A good address comes out with its local part as typed and its domain in lower-case ASCII."""
    assert check_address(text) == address


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text[:40]))
def test_o8_bad_addresses_are_refused(text: str) -> None:
    """A bad address is refused in one printable line of bearable length."""
    with pytest.raises(AddressError) as caught:
        check_address(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_o8_the_tables_are_long_enough() -> None:
    """The rule asks for a hundred addresses, good and bad."""
    assert len(GOOD) + len(BAD) >= 100


def test_o10_only_the_domain_is_folded() -> None:
    """Case variants of the domain are one address; the local part stays as typed."""
    assert check_address("A@EX.org") == check_address("A@ex.ORG") == "A@ex.org"
    assert check_address("A@ex.org") != check_address("a@ex.org")


def test_m18_a_domain_beyond_ascii_becomes_a_labels() -> None:
    """The domain is written as it goes over the wire."""
    assert check_address("a@bücher.example") == "a@xn--bcher-kva.example"


def test_m18_a_local_part_beyond_ascii_is_refused_in_clear_words() -> None:
    """The refusal says that the letters before the @ are the trouble."""
    with pytest.raises(AddressError, match="letters before the @ that many mail servers refuse"):
        check_address("jürgen@example.org")


@pytest.mark.parametrize("sign", ["\r", "\n", "\r\n", ">", " ", "<", "\0"])
@pytest.mark.parametrize("shape", ["a{}da@example.org", "ada@exa{}mple.org", "ada@example.org{}"])
def test_x6_no_address_carries_an_smtp_command(shape: str, sign: str) -> None:
    """Line ends, blanks and angles never pass, wherever they stand."""
    with pytest.raises(AddressError):
        check_address(shape.format(sign))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (" ada@example.org ", "ada@example.org"),
        ("Ada Lovelace <ada@Example.org>", "ada@example.org"),
        ("mailto:ada@example.org", "ada@example.org"),
        ("ada@example.org.", "ada@example.org"),
        ("ada@example.org;", "ada@example.org"),
        ("<ada@example.org> <eve@evil.example>", ""),
        ("ada@example.org)bob@evil.example", ""),
        ("ada", ""),
    ],
)
def test_a_refusal_offers_the_address_that_was_meant(text: str, hint: str) -> None:
    """Blanks, angles and a full stop around one good address lead to a hint, doubt to none."""
    with pytest.raises(AddressError) as caught:
        check_address(text)
    assert caught.value.hint == hint
    assert str(caught.value).endswith(f'; did you mean "{hint}"?') is bool(hint)


def test_a_refusal_is_a_fault_for_forms_and_for_people() -> None:
    """The error is a ValueError to a form and a one-line error to a command."""
    assert issubclass(AddressError, ValueError)
    assert issubclass(AddressError, DigestError)
    assert AddressError.exit_code == 2


@given(st.text(max_size=80))
def test_o8_any_text_is_refused_or_plain(text: str) -> None:
    """Whatever comes in, what comes out is one plain ASCII mailbox that passes again unchanged."""
    try:
        address = check_address(text)
    except AddressError:
        return
    local, _, domain = address.partition("@")
    assert address.isascii()
    assert not set(address) & set(' \r\n\t<>()[],;:"\\')
    assert 1 <= len(local) <= 64
    assert len(address) <= 254
    assert domain == domain.lower()
    assert check_address(address) == address


@given(st.text(alphabet="abü.-@xn。ａ ", max_size=30))
def test_o8_near_addresses_are_refused_or_stable(text: str) -> None:
    """Texts close to addresses give an address that stands by itself, or none."""
    try:
        address = check_address(text)
    except AddressError:
        return
    assert check_address(address) == address


@pytest.mark.parametrize(
    ("domain", "free"),
    [
        ("gmail.com", True),
        ("googlemail.com", True),
        ("yahoo.com", True),
        ("yahoo.co.uk", True),
        ("hotmail.fr", True),
        ("outlook.com", True),
        ("live.com", True),
        ("icloud.com", True),
        ("gmx.de", True),
        ("web.de", True),
        ("proton.me", True),
        ("qq.com", True),
        ("lists.gmail.com", True),
        ("mail.yahoo.co.jp", True),
        ("example.org", False),
        ("notgmail.com", False),
        ("gmail.example.org", False),
        ("gmail.com.example.org", False),
        ("yahoo.example.org", False),
        ("me.example", False),
    ],
)
def test_a5_free_mail_domains_are_known(domain: str, free: bool) -> None:
    """Domains that hand out mailboxes are known, with the domains below them and no others."""
    assert is_free_mail(domain) is free


@pytest.mark.parametrize("text", ["", "org", "a b.org", "exa_mple.org", "127.0.0.1", "x." * 200])
def test_a_domain_is_checked_by_itself(text: str) -> None:
    """A domain alone is held to the same rules."""
    with pytest.raises(AddressError):
        check_domain(text)
