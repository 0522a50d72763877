"""The pages behind nginx and Caddy, set up by the very files of docs/deploy."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import SMTP
from functools import partial
from pathlib import Path

import httpx
import pytest
import trustme

from tests.e2e.pages import write_pages
from tests.e2e.post_office import SBIN, found, listens, program
from tests.e2e.service import Service, mail_server_thread, text_part
from tests.e2e.test_web import subscribe, wait_for_mail
from tests.ports import free_port
from tests.smtp_server import MailServer
from tests.waiting import wait_for
from tests.web.test_server import address

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
NAME = "digest.example.org"
KINDS = ("nginx", "caddy")

NGINX = """
daemon off;
pid {folder}/nginx.pid;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/nginx.conf;
}}
"""
"""What stands around a site in nginx's own config."""

MANY = 20
"""Requests that come in faster than nginx lets one visitor, by the limit of the test."""

NGINX_WORDS = ("-e", "{folder}/log-of-start", "-c", "{folder}/main.conf")
CADDY_WORDS = ("run", "--adapter", "caddyfile", "--config", "{folder}/Caddyfile")

WEB = """
trusted_proxies = ["127.0.0.1"]
check_domains = false
signups_per_network = 1
port = 0"""

READER = """
[[subscribers]]
email = "ada@example.org"
[subscribers.keywords]
"random graph" = 3
"""


@dataclass(frozen=True)
class Behind:
    """A service behind a web server on loopback."""

    service: Service
    folder: Path
    port: int
    tls: ssl.SSLContext
    mails: MailServer

    @contextmanager
    def visitor(self, source: str = "127.0.0.1", **headers: str) -> Iterator[httpx.Client]:
        """A browser that comes from this address of loopback."""
        with httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            headers={"host": NAME, "sec-fetch-site": "same-origin", **headers},
            transport=ByName(verify=self.tls, local_address=source),
            timeout=30,
        ) as client:
            yield client

    def states(self) -> list[str]:
        """How the subscribers stand, in the order in which they came."""
        people = json.loads(self.service.run("subscribers", "list", "--json"))
        return [one["state"] for one in people]

    def logs(self) -> str:
        """All that the web server has written."""
        files = (path for path in self.folder.rglob("*") if path.name.startswith("log"))
        return "".join(path.read_text("utf-8", "replace") for path in files)


class ByName(httpx.HTTPTransport):
    """Connects to loopback and asks for the site by its public name, as its certificate has it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to one request."""
        request.extensions["sni_hostname"] = NAME
        return super().handle_request(request)


def set_up(kind: str, folder: Path, port: int, upstream: int) -> list[str]:
    """The command of a web server with the file of docs/deploy, on other ports and our own key."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    served = authority.issue_cert(NAME)
    served.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    write, command = (nginx, NGINX_WORDS) if kind == "nginx" else (caddy, CADDY_WORDS)
    name, changes = write(folder, port)
    text = (DEPLOY / name).read_text("utf-8")
    for theirs, ours in (*changes.items(), ("127.0.0.1:8080", f"127.0.0.1:{upstream}")):
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    (folder / name).write_text(text, "utf-8")
    return [found(kind), *(word.format(folder=folder) for word in command)]


def nginx(folder: Path, port: int) -> tuple[str, dict[str, str]]:
    """The name of its file, and what is not as on a real machine."""
    (folder / "main.conf").write_text(NGINX.format(folder=folder), "utf-8")
    return "nginx.conf", {
        "    listen [::]:443 ssl http2;\n": "",
        "    listen [::]:80;\n": "",
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80": f"listen 127.0.0.1:{free_port()}",
        "/etc/ssl/digest.example.org/fullchain.pem": f"{folder}/server.pem",
        "/etc/ssl/digest.example.org/privkey.pem": f"{folder}/server.pem",
        "/var/log/nginx/error.log": f"{folder}/log",
        "rate=10r/s": "rate=1r/s",
        "burst=100": "burst=5",
    }


def caddy(folder: Path, port: int) -> tuple[str, dict[str, str]]:
    """The name of its file, and what is not as on a real machine."""
    alone = f"admin off\n\tauto_https disable_redirects\n\tstorage file_system {folder}"
    key = f"{folder}/server.pem"
    return "Caddyfile", {
        "\n{\n": f"\n{{\n\t{alone}\n",
        "\tlog {\n": f"\tlog {{\n\t\toutput file {folder}/log\n",
        f"\n{NAME} {{\n": f"\nhttps://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {key} {key}\n",
    }


@pytest.fixture(scope="module", params=KINDS)
def behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Behind]:
    """A service of which one sign-up a day is taken from a network, and a web server before it."""
    kind = str(request.param)
    if not shutil.which(kind, path=SBIN):
        pytest.skip(f"{kind} is not installed (`.ci/run` has the Debian packages)")
    home, folder = (tmp_path_factory.mktemp(name) for name in ("service", kind))
    write_pages("ours", home)
    with mail_server_thread() as server:
        service = Service(home, server.port, READER)
        config = home / "config.toml"
        config.write_text(config.read_text().replace("\nport = 0", WEB))
        process = service.start("serve")
        try:
            upstream = int(address(process).rpartition(":")[2])
            port = free_port()
            command = set_up(kind, folder, port, upstream)
            one = Behind(
                service, folder, port, ssl.create_default_context(cafile=folder / "ca.pem"), server
            )
            with program(*command):
                wait_for(kind, partial(listens, port), one.logs)
                yield one
        finally:
            process.terminate()
            process.communicate(timeout=60)


def test_u1_t7_links_work_through_a_web_server_and_stand_in_no_log(behind: Behind) -> None:
    """Leave by one click, one provider for very many readers; sign up and confirm."""
    digest = message_from_bytes(wait_for_mail(behind.mails, 1), policy=SMTP)
    leave = str(digest["List-Unsubscribe"]).strip("<>").removeprefix(f"https://{NAME}")
    with behind.visitor("127.0.0.2") as provider:
        del provider.headers["sec-fetch-site"]
        for _ in range(MANY):
            answer = provider.post(leave, content="List-Unsubscribe=One-Click")
            assert answer.status_code == 200
        assert "unsubscribed" in answer.text
    assert behind.states() == ["unsubscribed"]
    with behind.visitor("127.0.0.3") as browser:
        assert "Check your mail" in subscribe(browser).text
        letter = text_part(wait_for_mail(behind.mails, 2))
        confirm = re.search(rf"https://{NAME}(/confirm/\S+)", letter)
        assert confirm
        assert "You are subscribed" in browser.post(confirm[1]).text
    assert behind.states() == ["unsubscribed", "active"]
    for path in (confirm[1], leave):
        assert path.rpartition("/")[2] not in behind.logs()


def test_t7_each_visitor_has_a_limit_of_their_own_whatever_they_claim(behind: Behind) -> None:
    """The address that counts is the one that the web server sees."""
    for source, claimed, status in (
        ("127.0.0.4", "", 200),
        ("127.0.0.4", "203.0.113.1", 429),
        ("127.0.0.5", "127.0.0.4", 200),
    ):
        with behind.visitor(source, **({"x-forwarded-for": claimed} if claimed else {})) as one:
            assert subscribe(one).status_code == status


def test_t8_the_headers_of_security_are_there_once(behind: Behind) -> None:
    """The service's own and, over https, that of the web server."""
    with behind.visitor() as browser:
        headers = browser.get("/subscribe").headers
    for name in (
        "strict-transport-security",
        "content-security-policy",
        "referrer-policy",
        "x-content-type-options",
    ):
        assert len(headers.get_list(name)) == 1, name


def test_t9_t10_what_is_too_large_and_what_is_the_operators_stays_out(behind: Behind) -> None:
    """64 kB at most; and who comes through the web server is not taken for this machine."""
    with behind.visitor() as browser:
        assert browser.post("/subscribe", content=b"x" * 70_000).status_code == 413
        assert browser.get("/metrics").status_code in {401, 403, 404}
        assert browser.get("/admin").status_code in {401, 403, 404}


@pytest.mark.parametrize("behind", ["nginx"], indirect=True)
def test_t9_nginx_slows_down_who_asks_too_much(behind: Behind) -> None:
    """A page has a limit for each visitor, which one-click has not."""
    with behind.visitor("127.0.0.6") as browser:
        answers = Counter(browser.get("/subscribe").status_code for _ in range(MANY))
    assert answers[200] >= 5
    assert answers[429]
    assert answers[200] + answers[429] == MANY


def test_nginx_itself_finds_no_fault(tmp_path: Path) -> None:
    """`nginx -t`, without a warning."""
    if not shutil.which("nginx", path=SBIN):
        pytest.skip("nginx is not installed (`.ci/run` has the Debian packages)")
    command: Sequence[str] = set_up("nginx", tmp_path, free_port(), 8080)
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_caddy_itself_finds_no_fault(tmp_path: Path) -> None:
    """`caddy validate`, with the site's certificate in the place of one from an authority."""
    if not shutil.which("caddy"):
        pytest.skip("caddy is not installed (`.ci/run` has the Debian packages)")
    command = set_up("caddy", tmp_path, free_port(), 8080)
    command[1] = "validate"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
