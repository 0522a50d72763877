"""A mail house of Debian's own programs: Postfix, Dovecot and OpenDKIM in a folder, on loopback.

Nothing of it reads or writes the machine's own mail system. Mail goes from Postfix over LMTP into
Dovecot's Maildirs and is read over IMAP; OpenDKIM writes into each mail what it thinks of its
signatures. Mail for a domain that it does not keep goes nowhere. It ends with the test, also when
the test is killed.
"""

from __future__ import annotations

import imaplib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import trustme

from tests.e2e.other_user import reaching
from tests.ports import free_port
from tests.waiting import wait_for

SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin"
PASSWORD = "open sesame"
MASTER = """
smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
scache unix - - n - 1 scache
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = mail.example.org
mydestination =
mynetworks_style = host
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
transport_retry_time = 1s
default_transport = error:5.3.2 no mail leaves this house
fast_flush_domains =
virtual_mailbox_domains = {domains}
virtual_transport = lmtp:unix:{folder}/lmtp
recipient_delimiter = +
smtpd_tls_security_level = may
smtpd_tls_chain_files = {folder}/server.pem
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {folder}/auth
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_delay_reject = yes
smtpd_relay_restrictions = reject_unauth_destination
smtpd_milters = unix:{folder}/milter
milter_default_action = tempfail
"""

DOVECOT = """
base_dir = {folder}/dovecot
state_dir = {folder}/dovecot-state
log_path = {folder}/dovecot.log
instance_name = {folder}
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
hostname = mail.example.org
postmaster_address = postmaster@example.org
recipient_delimiter = +
mail_location = maildir:{folder}/mail/%u
mail_plugins = $mail_plugins quota
plugin {{
  quota = maildir:User quota
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imap_port}
    ssl = yes
  }}
}}
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
"""

OPENDKIM = """
Mode v
Syslog no
UMask 000
Socket local:{folder}/milter
TestPublicKeys {folder}/keys
AuthservID mail.example.org
AlwaysAddARHeader yes
"""


@dataclass(frozen=True)
class PostOffice:
    """A running mail house: where it listens, and its folder."""

    folder: Path
    smtp_port: int
    imap_port: int

    @property
    def ca_file(self) -> Path:
        """The authority of its certificate."""
        return self.folder / "ca.pem"

    def maildir(self, address: str) -> Path:
        """Where Dovecot keeps the mail of an address."""
        return self.folder / "mail" / address

    def mails(self, address: str) -> list[bytes]:
        """What lies in somebody's inbox, read over IMAP; it stays as it is."""
        tls = ssl.create_default_context(cafile=self.ca_file)
        with imaplib.IMAP4_SSL("127.0.0.1", self.imap_port, ssl_context=tls, timeout=60) as imap:
            imap.login(address, PASSWORD)
            imap.select(readonly=True)
            found = imap.uid("FETCH", "1:*", "(BODY.PEEK[])")[1]
            return [bytes(part[1]) for part in found if isinstance(part, tuple)]

    def logs(self) -> str:
        """What its programs logged, for a test that failed."""
        return "\n".join(path.read_text("utf-8") for path in sorted(self.folder.glob("*.log")))

    def wait_for(self, what: str, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        wait_for(what, holds, self.logs)


def skip_where_it_cannot_run() -> None:
    """Skip with the reason where the programs are missing or may not be started."""
    for program in ("postfix", "dovecot", "opendkim"):
        if not shutil.which(program, path=SBIN):
            pytest.skip(f"{program} is not installed (`.ci/run` has the Debian packages)")
    if os.geteuid() != 0:
        pytest.skip("Postfix and Dovecot start as root only")
    version = subprocess.check_output([found("dovecot"), "--version"], text=True)
    if not version.startswith("2.3."):
        pytest.skip(f"written for the settings of Dovecot 2.3, and this is {version.split()[0]}")


def found(program: str) -> str:
    """The path of a program that is installed."""
    path = shutil.which(program, path=SBIN)
    assert path, program
    return path


@contextmanager
def post_office(
    people: Sequence[str],
    keys: Mapping[str, str],
    *,
    full: Sequence[str] = (),
    main: str = "",
    pipe: str = "",
) -> Iterator[PostOffice]:
    """A mail house that keeps mailboxes for these people; those of `full` hold one kilobyte.

    `keys` are DKIM records by name, as DNS would have them. `main` are further lines of Postfix's
    main.cf and `pipe` of its master.cf, to hand some mail on.
    """
    folder = Path(tempfile.mkdtemp(prefix="post-"))  # sockets have short names at most
    office = PostOffice(folder, free_port(), free_port())
    try:
        _furnish(office, people, keys, full)
        for name, lines in (("main.cf", main), ("master.cf", pipe)):
            with (office.folder / "postfix" / name).open("a", encoding="utf-8") as file:
                file.write(lines)
        with _open(office, reaching() if pipe else []):
            yield office
    finally:
        shutil.rmtree(folder)


@contextmanager
def _open(office: PostOffice, before: Sequence[str]) -> Iterator[None]:
    folder = str(office.folder)
    subprocess.run([found("postfix"), "-c", f"{folder}/postfix", "check"], check=True)
    with ExitStack() as stack:
        stack.enter_context(program(found("opendkim"), "-f", "-x", f"{folder}/opendkim.conf"))
        stack.enter_context(program(found("dovecot"), "-F", "-c", f"{folder}/dovecot.conf"))
        stack.enter_context(program(*before, found("master"), "-d", "-c", f"{folder}/postfix"))
        for name in ("milter", "lmtp", "auth"):
            office.wait_for(name, (office.folder / name).is_socket)
        for port in (office.smtp_port, office.imap_port):
            office.wait_for(f"port {port}", partial(listens, port))
        yield


@contextmanager
def program(*words: str) -> Iterator[None]:
    """A program with all that it starts, ended at the latest when we end."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *words],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):  # it has ended with all its children, as it should
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def listens(port: int) -> bool:
    """Whether somebody answers on a port of loopback."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _furnish(
    office: PostOffice,
    people: Sequence[str],
    keys: Mapping[str, str],
    full: Sequence[str],
) -> None:
    """Write everything that its programs read."""
    folder = office.folder
    folder.chmod(0o755)
    for name in ("postfix", "queue", "data", "mail"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    shutil.chown(folder / "mail", "nobody", "nogroup")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(office.ca_file)
    served = authority.issue_cert("127.0.0.1")
    served.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    uid, gid = (folder / "mail").stat().st_uid, (folder / "mail").stat().st_gid
    rules = dict.fromkeys(full, "userdb_quota_rule=*:bytes=1024")
    users = (
        f"{one}:{{PLAIN}}{PASSWORD}:{uid}:{gid}::{folder}/mail/{one}::{rules.get(one, '')}\n"
        for one in (*people, *full)
    )
    domains = {one.rpartition("@")[2] for one in people}
    values = {
        "folder": folder,
        "imap_port": office.imap_port,
        "domains": ", ".join(sorted(domains)),
    }
    for name, text in (
        ("users", "".join(users)),
        ("keys", "".join(f"{name} {record}\n" for name, record in keys.items())),
        ("postfix/main.cf", MAIN.format(**values)),
        ("postfix/master.cf", MASTER.replace("smtp inet", f"127.0.0.1:{office.smtp_port} inet")),
        ("dovecot.conf", DOVECOT.format(**values)),
        ("opendkim.conf", OPENDKIM.format(**values)),
    ):
        (folder / name).write_text(text, "utf-8")
