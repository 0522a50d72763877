"""The folder that takes mails in place of a mail server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from digest.mailer import EmlFolder
from digest.model import Deferred
from tests.mailer.test_sending import RAW, envelope


def written(folder: Path, *recipients: str) -> list[str]:
    """The names of the files that mails to these give, in one run."""

    async def run() -> list[str]:
        mails = EmlFolder(folder)
        async with mails.session() as session:
            for number, one in enumerate(recipients):
                raw = RAW + str(number).encode()
                await session.send(envelope(one, raw), lambda: True)
        for number, path in enumerate(mails.written):
            assert path.read_bytes() == RAW + str(number).encode()
            assert path.parent == folder
        return [path.name for path in mails.written]

    return asyncio.run(run())


def test_d6_each_mail_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Addresses whose harmless names are the same, or differ by case alone, do not meet."""
    assert written(tmp_path / "mails", "a/b@example.org", "a?b@example.org", "A_B@example.org") == [
        "a_b@example.org.eml",
        "a_b@example.org-2.eml",
        "A_B@example.org-3.eml",
    ]


def test_d6_a_second_run_writes_over_the_first(tmp_path: Path) -> None:
    """A rehearsal that is repeated leaves one mail a person."""
    for _ in range(2):
        assert written(tmp_path, "ada@example.org") == ["ada@example.org.eml"]
    assert len(list(tmp_path.iterdir())) == 1


def test_d6_names_stay_in_the_folder_and_within_what_file_systems_take(tmp_path: Path) -> None:
    """Slashes and dots lead nowhere, and the longest address has a file."""
    long = f"{'a' * 64}@{'b' * 180}.org"
    names = written(tmp_path, "../../etc/passwd@x", f"{long}x", f"{long}y")
    assert names[0] == ".._.._etc_passwd@x.eml"
    assert len(set(names)) == 3
    assert max(map(len, names)) <= 255


def test_u4_a_mail_that_is_no_longer_wanted_is_not_written(tmp_path: Path) -> None:
    """The permit counts here as well."""

    async def run() -> None:
        mails = EmlFolder(tmp_path)
        assert isinstance(await mails.send(envelope(), lambda: False), Deferred)
        assert not mails.written

    asyncio.run(run())
