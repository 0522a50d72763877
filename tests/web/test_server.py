"""The site beside the scheduler: one process, one stop, a port that is its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from digest.config import parse_config
from digest.errors import DigestError
from digest.web import listen
from tests.e2e.service import Service, mail_server_thread
from tests.web.running import CONFIG, running_site


def address(process: subprocess.Popen[str]) -> str:
    """Where a started service answers, as its log says."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"web\.listening (\{.*\})", line):
            said = json.loads(found[1])
            return f"http://{said['host']}:{said['port']}"
    pytest.fail("the service ended before it listened")


def test_serve_answers_and_stops_on_sigterm(tmp_path: Path) -> None:
    """`digest serve` has the pages in its one process and ends cleanly, with 0."""
    with mail_server_thread() as server:
        service = Service(tmp_path, server.port, "")
        process = service.start("serve")
        try:
            answer = httpx.get(address(process) + "/unsubscribe/x", trust_env=False)
            assert answer.status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "service.stopped" in err
    assert "Traceback" not in err


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """Two services on one port: the second says so in one line."""
    config = parse_config(CONFIG.format(base_url="http://localhost", web=""), "c.toml", tmp_path)
    with listen(config.web) as sock:
        port = sock.getsockname()[1]
        taken = config.web.model_copy(update={"port": port})
        with pytest.raises(DigestError, match=rf"port {port}.*is another one running there"):
            listen(taken)


def test_tokens_stay_out_of_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """T3: what a page does is logged by ids, never by its path."""
    with running_site(tmp_path) as site, site.client() as client:
        token = site.app.tokens.unsubscribe(7)
        client.post(f"/unsubscribe/{token}")
    assert token not in "".join(capfd.readouterr())


def test_changed_settings_hold_from_the_next_request_on(tmp_path: Path) -> None:
    """A token, a path in the base URL and a proxy that are new need no other port or process."""
    (tmp_path / "token").write_text("a-token-that-nobody-guesses")
    (tmp_path / "token").chmod(0o600)
    with running_site(tmp_path) as site, site.client() as client:
        assert client.get("/metrics").status_code == 200
        assert client.get("/digest/subscribe").status_code == 404
        text = CONFIG.format(
            base_url="http://localhost/digest",
            web='metrics_token_file = "token"\ntrusted_proxies = ["127.0.0.1"]',
        )
        site.site.app = replace(site.app, config=parse_config(text, "config.toml", tmp_path))
        assert client.get("/metrics").status_code == 401
        bearer = {"authorization": "Bearer a-token-that-nobody-guesses"}
        assert client.get("/metrics", headers=bearer).status_code == 200
        assert client.get("/digest/subscribe").status_code == 200
        elsewhere = {"x-forwarded-for": "203.0.113.7"}
        assert client.get("/admin", headers=elsewhere).status_code == 404
