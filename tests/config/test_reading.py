"""Good configs: what is read, what is filled in, and files that cannot be read."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path

import pytest

from digest.config import Config, load_config, parse_config, parse_subscribers
from digest.errors import ConfigError
from digest.model import Keyword, Origin, Profile, Source, Subscriber, WhenEmpty
from tests.config.building import ADA, ARXIV, FEED, config

FOLDER = Path("/srv/digest")


def read(text: str) -> Config:
    """The config of a text that has no fault."""
    return parse_config(text, "c.toml", FOLDER)


def test_the_shortest_config_is_filled_in() -> None:
    """Three keys are enough; the rest has defaults that work."""
    short = read(config())
    assert short.service.name == "Paper digest"
    assert short.service.timezone == "UTC"
    assert short.service.data == "/srv/digest/digest.db"
    assert short.service.secret_file == FOLDER / "secret.key"
    assert short.service.rollover_days == 2
    assert short.mail.sender == ("Paper digest", "digest@example.org")
    assert short.mail.list_id == "digest.example.org"
    assert (short.smtp.tls, short.smtp.port, short.smtp.connections) == ("starttls", 587, 2)
    assert short.smtp.rate_per_s is None
    assert short.dkim is None
    assert (short.web.host, short.web.port) == ("127.0.0.1", 8080)
    assert not short.sources
    assert not short.subscribers
    assert (short.folder, short.place) == (FOLDER, "c.toml")


@pytest.mark.parametrize(
    ("value", "sender"),
    [
        ("digest@example.org", ("Paper digest", "digest@example.org")),
        ("<digest@example.org>", ("Paper digest", "digest@example.org")),
        ("The Library <digest@EXAMPLE.org>", ("The Library", "digest@example.org")),
        ('"Library, The" <digest@example.org>', ("Library, The", "digest@example.org")),
        ("Bücherei <digest@bücher.example>", ("Bücherei", "digest@xn--bcher-kva.example")),
    ],
)
def test_the_sender_is_a_name_and_an_address(value: str, sender: tuple[str, str]) -> None:
    """A name in front is kept; without one the service's own stands there."""
    assert read(config(mail=f"from = {json.dumps(value)}")).mail.sender == sender


@pytest.mark.parametrize(
    ("value", "base_url"),
    [
        ("https://digest.example.org/", "https://digest.example.org"),
        ("https://example.org:8443/digest/", "https://example.org:8443/digest"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://digest.localhost", "http://digest.localhost"),
    ],
)
def test_d7_the_base_url_is_https_or_local(value: str, base_url: str) -> None:
    """Any host by https, this machine by http as well, never a slash at the end."""
    assert read(config(service=f'base_url = "{value}"')).service.base_url == base_url


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465)])
def test_the_port_follows_from_the_tls_mode(tls: str, port: int) -> None:
    """Each mode has its usual port; one that is named stands."""
    host = f'host = "mail.example.org"\ntls = "{tls}"'
    assert read(config(smtp=host)).smtp.port == port
    assert read(config(smtp=f"{host}\nport = 2525")).smtp.port == 2525


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "[::1]", "127.3.2.1"])
def test_plain_text_reaches_this_machine(host: str) -> None:
    """Unencrypted mail to loopback needs no word from the operator, nor does a login there."""
    login = 'username = "digest"\npassword_env = "PW"'
    smtp = read(config(smtp=f'host = "{host}"\ntls = "none"\n{login}')).smtp
    assert (smtp.tls, smtp.port) == ("none", 25)


def test_plain_text_reaches_another_machine_when_told_to() -> None:
    """The operator may say in so many words that the network is trusted."""
    text = 'host = "relay"\ntls = "none"\nallow_plaintext = true'
    assert read(config(smtp=text)).smtp.allow_plaintext


def test_relative_paths_start_from_the_folder_of_the_file() -> None:
    """A path is joined to the config's folder, an absolute one is kept."""
    text = config(
        service='base_url = "http://localhost"\ndata = "/var/lib/digest.db"',
        mail='from = "digest@example.org"\nnote_file = "notes/note.md"\ntemplates = "own"',
        dkim='domain = "example.org"\nselector = "digest"\nkey_file = "/etc/dkim.pem"',
        rest='[[sources]]\nname = "saved"\nkind = "page"\npath = "pages/*.html"\n',
    )
    found = read(text)
    assert found.service.data == "/var/lib/digest.db"
    assert found.mail.note_file == FOLDER / "notes/note.md"
    assert found.mail.templates == FOLDER / "own"
    assert found.dkim is not None
    assert found.dkim.key_file == Path("/etc/dkim.pem")
    assert found.sources[0].path == "/srv/digest/pages/*.html"


def test_a_folder_with_glob_signs_is_taken_literally() -> None:
    """Only the operator's own pattern is a pattern."""
    text = config(rest='[[sources]]\nname = "saved"\nkind = "page"\npath = "*.html"\n')
    assert parse_config(text, "c.toml", Path("/srv/[a]")).sources[0].path == "/srv/[[]a]/*.html"


def test_a_postgresql_address_is_kept() -> None:
    """A database address is no path."""
    address = "postgresql://digest@db.example.org/digest"
    text = config(service=f'base_url = "http://localhost"\ndata = "{address}"')
    assert read(text).service.data == address


@pytest.mark.parametrize(
    ("rest", "source"),
    [
        (
            ARXIV,
            Source("arXiv", "arxiv", categories=("cs.CL",), every_s=3600, max_age_days=7),
        ),
        (
            f"{FEED}every = '90m'\nmax_age_days = 30",
            Source(
                "feed",
                "feed",
                "https://example.org/feed.xml",
                every_s=5400,
                max_age_days=30,
            ),
        ),
        (
            f"{FEED}every = '1d'\nmax_age_days = false",
            Source("feed", "feed", "https://example.org/feed.xml", "", (), 86400, None),
        ),
        (
            '[[sources]]\nname = "own"\nkind = "jsonl"\npath = "/l.jsonl"\n',
            Source("own", "jsonl", path="/l.jsonl", max_age_days=None),
        ),
        (
            '[[sources]]\nname = "own"\nkind = "page"\npath = "/p.html"\nmax_age_days = 3\n',
            Source("own", "page", path="/p.html", max_age_days=3),
        ),
    ],
)
def test_a_source_becomes_the_noun(rest: str, source: Source) -> None:
    """Durations become seconds, and the age that suits the kind is filled in."""
    assert read(config(rest=rest)).sources == (source,)


FULL = """
[[subscribers]]
email = "Ada@EXAMPLE.org"
name = "Ada"
timezone = "America/New_York"
send_at = "18:05"
days = ["sun", "mon", "mon"]
min_score = 1
max_items = 3
per_day = 8
trending = 2
when_empty = "nearest"
related = false
learn = true
authors = ["Emmy Noether"]
exclude = ["medical imaging", "category:cs.CR"]

[subscribers.keywords]
"speculative decoding" = 3
"title:survey" = -0.5
"""


def test_a_subscriber_becomes_the_noun() -> None:
    """Every key of a subscriber reaches the noun, days in the order of the week."""
    profile = Profile(
        keywords=(Keyword("speculative decoding", 3.0), Keyword("title:survey", -0.5)),
        exclude=("medical imaging", "category:cs.CR"),
        authors=("Emmy Noether",),
        min_score=1.0,
        max_items=3,
        per_day=8,
        trending=2,
        when_empty=WhenEmpty.NEAREST,
        related=False,
        learn=True,
    )
    assert read(config(rest=FULL)).subscribers == (
        Subscriber(
            email="Ada@example.org",
            profile=profile,
            timezone="America/New_York",
            send_at=time(18, 5),
            days=("mon", "sun"),
            name="Ada",
            origin=Origin.FILE,
        ),
    )


def test_a_subscriber_without_a_zone_has_that_of_the_service() -> None:
    """The default zone is filled in; the defaults of the nouns are those of the config."""
    text = config(service='base_url = "http://localhost"\ntimezone = "Asia/Tokyo"', rest=ADA)
    assert read(text).subscribers == (
        Subscriber("ada@example.org", Profile(), timezone="Asia/Tokyo"),
    )


def test_dots_in_quotes_are_no_trouble() -> None:
    """A long list on one line may hold any number of dots, escaped quotes among them."""
    terms = [f'"category:cs.C{number} \\"a.b\\""' for number in range(300)]
    text = config(rest=f"{ADA}exclude = [{', '.join(terms)}]")
    assert len(read(text).subscribers[0].profile.exclude) == 300


def test_a_time_of_toml_is_a_time() -> None:
    """An unquoted TOML time is taken as well."""
    assert read(config(rest=f"{ADA}send_at = 06:15:00")).subscribers[0].send_at == time(6, 15)


def test_subscribers_are_read_by_themselves() -> None:
    """A text of subscribers alone needs no other table and takes none."""
    (ada,) = parse_subscribers(ADA, "web", "Asia/Tokyo")
    assert ada == Subscriber("ada@example.org", Profile(), timezone="Asia/Tokyo")
    assert parse_subscribers("", "web", "UTC") == ()
    with pytest.raises(ConfigError) as caught:
        parse_subscribers(f"{config()}{ADA}send_at = '7'", "web", "UTC")
    assert caught.value.faults == [
        "web: [service]: is no table here; tables are [[subscribers]]",
        "web: [mail]: is no table here; tables are [[subscribers]]",
        "web: [smtp]: is no table here; tables are [[subscribers]]",
        "web: [[subscribers]] #1 (ada@example.org) send_at: must be hours and minutes such as "
        '"07:30", not "7"; did you mean "07:00"?',
    ]


def test_a_config_is_read_from_its_file(tmp_path: Path) -> None:
    """The file's folder is where its paths start; a byte-order mark does no harm."""
    path = tmp_path / "config.toml"
    path.write_text("\ufeff" + config(), encoding="utf-8")
    found = load_config(path)
    assert found.folder == tmp_path
    assert found.place == str(path)


def test_a_missing_file_is_told_with_the_cure(tmp_path: Path) -> None:
    """Who has no config yet is told what writes one."""
    path = tmp_path / "config.toml"
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.faults == [f"{path}: there is no such file; `digest init` writes one"]
    assert caught.value.exit_code == 2


def test_a_file_that_is_no_text_is_told_with_its_line(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are a fault of a line."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"# one\n# \xe4\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.faults == [f"{path}: line 2: the file is not UTF-8 text"]


def test_a_folder_in_place_of_the_file_is_a_fault(tmp_path: Path) -> None:
    """What cannot be read is one line as well."""
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert caught.value.faults == [f"{tmp_path}: cannot be read (Is a directory)"]


def test_effective_settings_are_plain_values() -> None:
    """What is in force can be written as JSON and names the keys as the file does."""
    effective = read(config(rest=FULL + ARXIV)).effective()
    assert json.loads(json.dumps(effective)) == effective
    assert effective["mail"]["from"] == "Paper digest <digest@example.org>"
    assert effective["smtp"]["port"] == 587
    assert effective["sources"][0] == {
        "name": "arXiv",
        "kind": "arxiv",
        "categories": ["cs.CL"],
        "every": "1h",
        "max_age_days": 7,
    }
    assert effective["subscribers"][0]["keywords"] == {
        "speculative decoding": 3,
        "title:survey": -0.5,
    }


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://u:s3cr3t@h/x", "postgresql://u:***@h/x"),
        ("postgresql://u:s3@cr3t@h/x", "postgresql://u:***@h/x"),
        ("postgresql://u:s3/cr3t@h/x", "postgresql://u:***@h/x"),
        ("postgresql://h/x?user=u&password=s3cr3t&a=b", "postgresql://h/x?user=u&password=***&a=b"),
        ("postgresql://u@h/x", "postgresql://u@h/x"),
    ],
)
def test_d1_a_password_is_shown_nowhere(address: str, shown: str) -> None:
    """The password of a database stands neither in the dump nor in the repr."""
    found = read(config(service=f'base_url = "http://localhost"\ndata = "{address}"'))
    assert found.effective()["service"]["data"] == shown
    assert "cr3t" not in repr(found)
    assert found.service.data == address
