"""The files that a config names."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.config import Config, check_files, parse_config, read_secret, smtp_password
from digest.errors import ConfigError
from tests.config.building import MARKER, config


def all_files(folder: Path) -> Config:
    """A config that names every file there can be."""
    text = config(
        mail='from = "digest@example.org"\nnote_file = "note.md"\ntemplates = "own"',
        smtp='host = "mail.example.org"\nusername = "digest"\npassword_file = "password"',
        dkim='domain = "example.org"\nselector = "digest"\nkey_file = "dkim.pem"',
        web='admin_token_file = "token"',
    )
    return parse_config(text, "c.toml", folder)


def write(path: Path, text: str = MARKER, mode: int = 0o600) -> Path:
    """A file with that text and mode."""
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_files_that_are_there_and_closed_have_no_fault(tmp_path: Path) -> None:
    """Secrets of mode 600, a note of any mode and a folder of templates are fine."""
    for name in ("password", "dkim.pem", "token"):
        write(tmp_path / name, MARKER * 2)
    write(tmp_path / "note.md", mode=0o644)
    (tmp_path / "own").mkdir()
    assert check_files(all_files(tmp_path)) == []


def test_files_that_are_missing_are_all_told(tmp_path: Path) -> None:
    """Every missing file has its line; the signing key alone is made on first use."""
    assert check_files(all_files(tmp_path)) == [
        f"c.toml: [smtp] password_file: {tmp_path}/password does not exist",
        f"c.toml: [dkim] key_file: {tmp_path}/dkim.pem does not exist",
        f"c.toml: [web] admin_token_file: {tmp_path}/token does not exist",
        f"c.toml: [mail] note_file: {tmp_path}/note.md does not exist",
        f"c.toml: [mail] templates: {tmp_path}/own is no folder",
    ]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o602])
def test_d1_a_secret_that_others_can_reach_is_a_fault(tmp_path: Path, mode: int) -> None:
    """A secret's file is for its owner alone; the fault tells the mode and the cure."""
    secret = write(tmp_path / "secret.key", mode=mode)
    faults = check_files(parse_config(config(), "c.toml", tmp_path))
    assert faults == [
        f"c.toml: [service] secret_file: {secret} can be read or changed by other people "
        f"(mode {mode:03o}); chmod 600 it"
    ]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder where a file should be is a fault of its own."""
    (tmp_path / "secret.key").mkdir()
    assert check_files(parse_config(config(), "c.toml", tmp_path)) == [
        f"c.toml: [service] secret_file: {tmp_path}/secret.key is a folder, not a file"
    ]


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """The reason of the system is passed on; a link to itself is unreadable for root as well."""
    (tmp_path / "password").symlink_to("password")
    assert check_files(login(tmp_path, 'password_file = "password"')) == [
        f"c.toml: [smtp] password_file: {tmp_path}/password cannot be read"
        " (Too many levels of symbolic links)"
    ]


def login(tmp_path: Path, key: str) -> Config:
    """A config with a login."""
    smtp = f'host = "mail.example.org"\nusername = "digest"\n{key}'
    return parse_config(config(smtp=smtp), "c.toml", tmp_path)


def test_d1_the_password_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    """The line end of a file is no part of the password."""
    write(tmp_path / "pw", f"{MARKER}\n")
    assert smtp_password(login(tmp_path, 'password_file = "pw"'), {}) == MARKER
    assert smtp_password(login(tmp_path, 'password_env = "PW"'), {"PW": MARKER}) == MARKER
    assert smtp_password(parse_config(config(), "c.toml", tmp_path), {"PW": MARKER}) is None


@pytest.mark.parametrize("environ", [{}, {"PW": ""}])
def test_a_variable_that_is_not_set_is_a_fault(tmp_path: Path, environ: dict[str, str]) -> None:
    """A missing variable is told when files are checked and when the password is needed."""
    fault = "c.toml: [smtp] password_env: the environment has no variable PW"
    found = login(tmp_path, 'password_env = "PW"')
    assert check_files(found, environ) == [fault]
    with pytest.raises(ConfigError) as caught:
        smtp_password(found, environ)
    assert caught.value.faults == [fault]


@pytest.mark.parametrize(
    ("content", "mode", "fault"),
    [
        (MARKER.encode(), 0o644, "can be read or changed by other people (mode 644); chmod 600 it"),
        (b" \n", 0o600, "holds no secret"),
        (b"\xff\xfe" + MARKER.encode(), 0o600, "is no text"),
    ],
)
def test_d1_a_bad_secret_is_never_shown(
    tmp_path: Path, content: bytes, mode: int, fault: str
) -> None:
    """An empty, open or binary secret is refused without a word of what it holds."""
    path = tmp_path / "pw"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(ConfigError) as caught:
        read_secret(path)
    assert caught.value.faults == [f"{path} {fault}"]
    assert MARKER not in repr(caught.value)
