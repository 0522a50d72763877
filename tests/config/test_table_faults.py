"""Bad tables of one kind each: every fault with its exact line."""

from __future__ import annotations

import pytest

from tests.config.building import GOOD, MARKER, config, faults

OWN_DOMAIN = (
    "is refused by most receivers (its DMARC policy says so); "
    "use an address of a domain of your own"
)

SERVICE = [
    ("", 'base_url: is missing; it could be "https://digest.example.org"'),
    ("base_url = 1", "base_url: must be text in quotes, not 1"),
    (
        'base_url = "http://digest.example.org/"',
        "base_url: must begin with https:// (links in mail that anyone can read and change on the "
        'way are no good; http is for localhost); did you mean "https://digest.example.org/"?',
    ),
    (
        'base_url = "http://192.0.2.1"',
        "base_url: must begin with https:// (links in mail that anyone can read and change on the "
        'way are no good; http is for localhost); did you mean "https://192.0.2.1"?',
    ),
    (
        'base_url = "http://127.1"',
        'base_url: "127.1" is no host such as "mail.example.org"',
    ),
    (
        'base_url = "digest.example.org"',
        'base_url: "digest.example.org" is no web address such as "https://digest.example.org"',
    ),
    (
        'base_url = "javascript:alert(1)"',
        'base_url: "javascript:alert(1)" is no web address such as "https://digest.example.org"',
    ),
    (
        'base_url = "https://digest.example.org:port"',
        'base_url: is no web address such as "https://digest.example.org"',
    ),
    (
        'base_url = "https://ada:pw@digest.example.org"',
        "base_url: a user name and password do not belong in a web address",
    ),
    ('base_url = "https://digest.example.org/a b"', "base_url: a web address holds no blanks"),
    (
        'base_url = "https://digest.example.org/?a=b"',
        "base_url: must be a plain address: no ?, no #, no letters beyond ASCII in its path",
    ),
    (
        'timezone = "Europe/Londn"',
        'timezone: "Europe/Londn" is no IANA time zone such as "Europe/London"; '
        'did you mean "Europe/London"?',
    ),
    (
        'timezone = "europe/london"',
        'timezone: "europe/london" is no IANA time zone such as "Europe/London"; '
        'did you mean "Europe/London"?',
    ),
    (
        'timezone = "New York"',
        'timezone: "New York" is no IANA time zone such as "Europe/London"; '
        'did you mean "America/New_York"?',
    ),
    (
        'timezone = "+02:00"',
        'timezone: "+02:00" is no IANA time zone such as "Europe/London"',
    ),
    (
        'timezone = "../../etc/passwd"',
        'timezone: "../../etc/passwd" is no IANA time zone such as "Europe/London"',
    ),
    (
        f'data = "postgres://digest:{MARKER}@db.example.org/digest"',
        'data: must be a file such as "digest.db" or a postgresql:// address; '
        "did you mean postgresql://?",
    ),
    (
        f'data = "mysql://digest:{MARKER}@db.example.org/digest"',
        'data: must be a file such as "digest.db" or a postgresql:// address',
    ),
    (
        f'data = "host=db.example.org password={MARKER}"',
        'data: must be a file such as "digest.db" or a postgresql:// address',
    ),
    ('data = ""', "data: must not be empty"),
    ("rollover_days = -1", "rollover_days: must be a whole number from 0 to 14, not -1"),
    ("rollover_days = 15", "rollover_days: must be a whole number from 0 to 14, not 15"),
    ("rollover_days = 1.5", "rollover_days: must be a whole number, not 1.5"),
    ("rollover_days = true", "rollover_days: must be a whole number, not true"),
    ('name = ""', "name: must not be empty"),
    ('name = "a\\nb"', "name: must stay on one line"),
    ('name = "a\\u0000b"', "name: holds a character that cannot be shown (U+0000)"),
    (f'name = "{"a" * 201}"', "name: is longer than 200 characters"),
    (
        f'secret = "{MARKER}"',
        "secret: secrets stay out of this file: put it in one of its own and write "
        'secret_file = "…"',
    ),
    ("secret_file = 1", 'secret_file: must be text such as "note.md", not 1'),
    ('nam = "x"', 'nam: is no key here; did you mean "name"?'),
    (
        "zzz = 1",
        "zzz: is no key here; keys are name, base_url, timezone, data, secret_file, "
        "allowed_hosts, rollover_days, semantic, processes",
    ),
]

MAIL = [
    ("", 'from: is missing; it could be "Paper digest <digest@example.org>"'),
    ('from = "digest"', 'from: "digest" is no mail address: it needs exactly one @'),
    ("from = 1", 'from: must be text such as "Paper digest <digest@example.org>", not 1'),
    (
        'from = "Ada <ada@gmail.com>"',
        f"from: mail from gmail.com that gmail.com did not send itself {OWN_DOMAIN}",
    ),
    (
        'from = "ada@Yahoo.co.uk"',
        f"from: mail from yahoo.co.uk that yahoo.co.uk did not send itself {OWN_DOMAIN}",
    ),
    (
        'from = "ada@outlook.com"',
        f"from: mail from outlook.com that outlook.com did not send itself {OWN_DOMAIN}",
    ),
    ('from = "a\\nb <digest@example.org>"', "from: must stay on one line"),
    (
        'from = "Ada <ada@example.org> <eve@evil.example>"',
        'from: "Ada <ada@example.org> <eve@evil.example>" is no mail address: '
        "it needs exactly one @",
    ),
    (
        'reply_to = " ada@example.org"',
        'reply_to: " ada@example.org" is no mail address: before the @ stand plain letters, '
        "digits, signs such as + or _ and single dots between them; "
        'did you mean "ada@example.org"?',
    ),
    ('list_id = "my list"', 'list_id: "my list" is no domain such as example.org'),
    (
        'bounce_domain = "localhost"',
        'bounce_domain: "localhost" is no full domain such as example.org',
    ),
    (
        'postal_address = "a\\u2028b"',
        "postal_address: holds a character that cannot be shown (U+2028)",
    ),
    ("note_file = true", 'note_file: must be text such as "note.md", not true'),
    ('note_file = ""', "note_file: must not be empty"),
    ('frm = "x"', 'frm: is no key here; did you mean "from"?'),
    (
        'sender = "x"',
        "sender: is no key here; keys are from, reply_to, bounce_domain, list_id, "
        "postal_address, note_file, note_position, templates",
    ),
]

SMTP = [
    ("", 'host: is missing; it could be "smtp.example.org"'),
    (
        'host = "mail.example.org:587"',
        'host: "mail.example.org:587" is no host such as "mail.example.org"; '
        "the port has a key of its own: port = 587",
    ),
    (
        'host = "https://mail.example.org"',
        'host: "https://mail.example.org" is no host such as "mail.example.org"',
    ),
    ('tls = "ssl"', 'tls: must be "starttls", "tls" or "none", not "ssl"'),
    (
        'tls = "STARTTLS"',
        'tls: must be "starttls", "tls" or "none", not "STARTTLS"; did you mean "starttls"?',
    ),
    ("tls = true", 'tls: must be "starttls", "tls" or "none", not true'),
    ("port = 0", "port: must be a whole number from 1 to 65535, not 0"),
    ("port = 65536", "port: must be a whole number from 1 to 65535, not 65536"),
    ('port = "587"', 'port: must be a whole number, not "587"; did you mean 587 without quotes?'),
    ("port = [587]", "port: must be a whole number, not a list"),
    ("connections = 0", "connections: must be a whole number from 1 to 100, not 0"),
    ("connections = 2.5", "connections: must be a whole number, not 2.5"),
    ("rate_per_s = 0", "rate_per_s: must be a number above 0, up to 10000, not 0"),
    ("rate_per_s = inf", "rate_per_s: must be a number above 0, up to 10000, not inf"),
    ("rate_per_s = nan", "rate_per_s: must be a number above 0, up to 10000, not nan"),
    (
        'allow_plaintext = "true"',
        'allow_plaintext: must be true or false, not "true"; did you mean true without quotes?',
    ),
    ("allow_plaintext = 1", "allow_plaintext: must be true or false, not 1"),
    (
        'tls = "none"',
        'tls: "none" sends mail to mail.example.org unencrypted; use "starttls" or "tls", '
        "or say allow_plaintext = true",
    ),
    ('username = "digest"', "username: needs a password: add password_file or password_env"),
    ('password_file = "pw"', "password_file: needs a username as well"),
    ('password_env = "PW"', "password_env: needs a username as well"),
    (
        'username = "digest"\npassword_file = "pw"\npassword_env = "PW"',
        "password_env: stands beside password_file; keep one of them",
    ),
    (
        'tls = "none"\nallow_plaintext = true\nusername = "digest"\npassword_file = "pw"',
        "username: no password goes over the unencrypted connection that "
        'tls = "none" makes to mail.example.org',
    ),
    (
        f'password = "{MARKER}"',
        "password: secrets stay out of this file: put it in one of its own and write "
        'password_file = "…"',
    ),
    ("prot = 25", 'prot: is no key here; did you mean "port"?'),
    (
        'auth = "gssapi"',
        'auth: must be "auto", "plain", "login", "cram-md5" or "xoauth2", not "gssapi"',
    ),
    (
        'auth = "xoauth2"\nusername = "digest"',
        'auth: "xoauth2" needs token_file or token_command',
    ),
    ('auth = "xoauth2"\ntoken_file = "token"', "auth: needs a username as well"),
    (
        'auth = "xoauth2"\nusername = "d"\ntoken_file = "token"\ntoken_command = ["token"]',
        'auth: "xoauth2" needs token_file or token_command, not both',
    ),
    (
        'auth = "xoauth2"\nusername = "d"\ntoken_file = "token"\npassword_file = "pw"',
        'password_file: is of no use to auth = "xoauth2", which wants a token',
    ),
    ('token_file = "token"', 'token_file: is for auth = "xoauth2"'),
    ('key_file = "key.pem"', "key_file: needs cert_file as well"),
    (
        'tls = "none"\nallow_plaintext = true\nca_file = "ca.pem"',
        'ca_file: is of no use to tls = "none"',
    ),
]

INNER = [
    (
        "[[smtp.relays]]\nport = 25",
        '[[smtp.relays]] #1 host: is missing; it could be "smtp.example.org"',
    ),
    (
        '[[smtp.relays]]\nhost = "b.example.org"\nweight = -1',
        "[[smtp.relays]] #1 (b.example.org) weight: must be a whole number from 0 to 100, not -1",
    ),
    (
        '[[smtp.relays]]\nhost = "b.example.org"\ntls = "none"',
        '[[smtp.relays]] #1 (b.example.org) tls: "none" sends mail to b.example.org unencrypted; '
        'use "starttls" or "tls", or say allow_plaintext = true',
    ),
    (
        '[[smtp.relays]]\nhost = "b.example.org"\nprot = 3',
        '[[smtp.relays]] #1 (b.example.org) prot: is no key here; did you mean "port"?',
    ),
    (
        "[smtp.relays]\nport = 25",
        "[smtp.relays]: must be written [[smtp.relays]], in two brackets, for each one",
    ),
    (
        '[[smtp.providers]]\nname = "google"',
        "[[smtp.providers]] #1 (google) connections: is missing: give connections, per_minute or "
        "per_hour",
    ),
    (
        '[[smtp.providers]]\nname = "mine"\nper_hour = 5',
        "[[smtp.providers]] #1 (mine) domains: is missing: which domains does it keep?",
    ),
    (
        '[[smtp.providers]]\nname = "mine"\ndomains = ["a b"]\nper_hour = 5',
        '[[smtp.providers]] #1 (mine) domains #1 ("a b"): "a b" is no domain such as example.org',
    ),
    (
        '[[smtp.providers]]\nname = "yahoo"\nper_hour = 5\n'
        '[[smtp.providers]]\nname = "yahoo"\nper_hour = 6',
        "[[smtp.providers]] #2 (yahoo) name: is the same as that of [[smtp.providers]] #1 (yahoo)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), INNER)
def test_a_fault_in_a_table_inside_another_has_one_exact_line(text: str, fault: str) -> None:
    """Relays and receivers are told with their number and name, as sources are."""
    assert faults(config(rest=text)) == [fault]


DKIM = [
    ('selector = "s"\nkey_file = "k"', 'domain: is missing; it could be "example.org"'),
    (
        'domain = "example.org"\nkey_file = "k"\nselector = "a b"',
        'selector: "a b" is no selector: letters, digits and hyphens, such as digest',
    ),
    (
        'domain = "example.org"\nselector = "a"\nkey_file = "k"\ned25519_selector = "b"',
        "ed25519_selector: needs ed25519_key_file as well",
    ),
    (
        'domain = "example.org"\nselector = "a"\nkey_file = "k"\ned25519_key_file = "k2"',
        "ed25519_key_file: needs ed25519_selector as well",
    ),
    (
        'domain = "example.org"\nselector = "a"\nkey_file = "k"\ned25519_selector = "A"\n'
        'ed25519_key_file = "k2"',
        "ed25519_selector: is the RSA key's; each key has its own",
    ),
]

WEB = [
    ("port = 99999", "port: must be a whole number from 0 to 65535, not 99999"),
    (
        'trusted_proxies = ["10.0.0.0/33"]',
        'trusted_proxies #1 ("10.0.0.0/33"): "10.0.0.0/33" is no IP address or network such as '
        '"10.0.0.0/8"',
    ),
    ('host = "0.0.0"', 'host: "0.0.0" is no host such as "mail.example.org"'),
    (
        f'admin_token = "{MARKER}"',
        "admin_token: secrets stay out of this file: put it in one of its own and write "
        'admin_token_file = "…"',
    ),
]

TABLE_CASES = [
    (name, body, fault)
    for name, cases in {
        "service": SERVICE, "mail": MAIL, "smtp": SMTP, "dkim": DKIM, "web": WEB,
    }.items()
    for body, fault in cases
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "fault"), TABLE_CASES)
def test_a_fault_in_a_table_has_one_exact_line(name: str, body: str, fault: str) -> None:
    """One wrong key gives one line: table, key, what is wrong, the nearest right form."""
    keys = {line.partition(" =")[0] for line in body.splitlines()}
    good = GOOD.get(name, "")
    whole = f"{good}\n{body}" if body and good.partition(" =")[0] not in keys else body
    found = faults(config(**{name: whole}))
    assert found == [f"[{name}] {fault}"]
    assert MARKER not in str(found)
