"""The server of the live page: who it answers, what it says of a run that changes, goes or is replaced, and how it ends."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from archives.archive import Archive
from evolve.cli.verbs.ui import PORT
from evolve.report.html.page import policy
from tests.support.browser import ROOT, served
from tests.support.example_run import add_hostile, add_model_call, build

pytestmark = pytest.mark.thorough

pytest.importorskip("uvicorn", reason="the live page (needs starlette and uvicorn)")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("live") / "example.db", 30)


@pytest.fixture(scope="module")
def url(run: Path) -> Iterator[str]:
    with served(run) as (address, _):
        yield address


def ask(url: str, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
    """Return status, text and headers of an answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, {name.lower(): value for name, value in answer.getheaders()}


class Stream:
    """The events that a page listens to."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self.connection.request("GET", "/events")
        self.answer = self.connection.getresponse()

    def next(self) -> tuple[str, str]:
        """Return the next event and what it says."""
        lines = []
        while (line := self.answer.readline().decode().rstrip("\n")) or not lines:
            if line and not line.startswith(":"):
                lines.append(line)
        return lines[0].removeprefix("event: "), lines[1].removeprefix("data: ")


def test_the_page_is_the_report_with_methods_on_demand(url: str, run: Path) -> None:
    status, text, headers = ask(url, "/?now")
    assert status == 200
    assert ask(url)[1] == text
    assert "The champion beats the human best" in text or "Not shown" in text
    assert headers["content-security-policy"] == f"{policy(live=True)}; frame-ancestors 'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    champion = Archive.open(run).run().champion
    status, page, _ = ask(url, f"/method/{champion[:12]}")
    assert status == 200
    assert champion in page
    assert "What it changed against" in page


def test_a_failed_method_has_a_page_too(url: str, run: Path) -> None:
    row = Archive.open(run).rows("select method from evaluations where status = 'CRASHED' limit 1")[0]
    status, page, _ = ask(url, f"/method/{str(row['method'])[:12]}")
    assert status == 200
    assert "CRASHED" in page


@pytest.mark.parametrize(
    "path", ["/method/ffffffffffff", "/method/..%2f..%2fetc", "/method/%3Cscript%3E", "/nothing", "/static/x"]
)
def test_what_is_not_there_is_a_sentence(url: str, path: str) -> None:
    status, text, headers = ask(url, path)
    assert status in (404, 503)
    assert "<" not in text
    assert headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("host", ["localhost:9999", "127.0.0.1", "localhost", "LOCALHOST:{port}", "[::1]:8080"])
def test_a_page_behind_a_tunnel_with_another_port_is_shown(url: str, host: str) -> None:
    assert ask(url, Host=host.format(port=urlsplit(url).port))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example",
        "evil@localhost:{port}",
        "localhost:1:2",
        "localhost:x",
        "[::2]:{port}",
        "",
    ],
)
def test_another_name_for_this_machine_is_refused(url: str, host: str) -> None:
    status, text, _ = ask(url, Host=host.format(port=urlsplit(url).port))
    assert status in (400, 403)
    assert "PGR" not in text


def test_two_names_are_refused(url: str) -> None:
    with socket.create_connection(("127.0.0.1", int(urlsplit(url).port or 0))) as raw:
        raw.sendall(
            f"GET / HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert re.match(rb"HTTP/1.1 40[03]", answer)
    assert b"PGR" not in answer


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_only_reads(url: str, run: Path, method: str) -> None:
    before = hashlib.sha256(run.read_bytes()).digest()
    assert ask(url, "/", method)[0] == 403
    assert hashlib.sha256(run.read_bytes()).digest() == before


def test_another_sites_page_gets_nothing(url: str) -> None:
    assert ask(url, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert ask(url, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200
    assert "access-control-allow-origin" not in ask(url, "/", Origin="http://evil.example")[2]


def test_nobody_else_is_served(url: str) -> None:
    port = int(urlsplit(url).port or 0)
    listening = {
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if f":{port:04X} 00000000:0000 0A" in line
    }
    assert listening == {f"0100007F:{port:04X}"}


def test_a_change_is_told_and_seen(tmp_path: Path) -> None:
    db = build(tmp_path / "changing.db", 10, finished=False)
    with served(db) as (url, _):
        assert "the reply holds no code" not in ask(url, "/?now")[1]
        stream = Stream(url)
        assert stream.next() == ("changed", "")
        archive = Archive.open(db, write=True)
        add_model_call(archive, 99, archive.methods()[0].id, 0.5)
        assert stream.next() == ("changed", "")
        assert "the reply holds no code" in ask(url, "/?now")[1]


def test_a_run_that_is_deleted_or_replaced_is_a_sentence_and_the_server_lives(tmp_path: Path) -> None:
    db = build(tmp_path / "first.db", 4)
    other = build(tmp_path / "second.db", 5)
    with served(db) as (url, process):
        stream = Stream(url)
        assert stream.next()[0] == "changed"
        db.unlink()
        for path in ("/", "/?now", "/method/0123456789ab"):
            status, text, _ = ask(url, path)
            assert status == 503
            assert "is gone" in text
        kind, said = stream.next()
        assert (kind, "is gone" in said) == ("gone", True)
        shutil.copy(other, tmp_path / "copy")
        os.replace(tmp_path / "copy", db)
        assert stream.next()[0] == "changed"
        assert "Run second" in ask(url, "/?now")[1]
        db.write_bytes(b"not a database" * 100)
        status, text, _ = ask(url, "/?now")
        assert status == 503
        assert str(db) in text
        assert process.poll() is None


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    db = build(tmp_path / "hostile.db", 4)
    archive = Archive.open(db, write=True)
    method = add_hostile(archive, 99, archive.methods()[0].id)
    with served(db) as (url, _):
        for path in ("/?now", f"/method/{method[:12]}"):
            text = re.sub(r"<script[^>]*>.*?</script>", "", ask(url, path)[1], flags=re.DOTALL)
            assert "alert(1)" in text
            assert "<script" not in text
            assert "\x1b" not in text


def test_ctrl_c_ends_it_cleanly_also_while_pages_listen(tmp_path: Path) -> None:
    with served(build(tmp_path / "ending.db", 2)) as (url, process):
        streams = [Stream(url) for _ in range(3)]
        for stream in streams:
            stream.next()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "ended\n")


def test_a_taken_port_falls_back_unless_it_was_asked_for(tmp_path: Path) -> None:
    db = build(tmp_path / "ports.db", 1)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", PORT))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        with served(db, "--db", str(db)) as (url, _):
            assert urlsplit(url).port != PORT
            assert ask(url)[0] == 200
        command = [sys.executable, "-m", "evolve", "ui", "--db", str(db), "--port", str(PORT)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert re.search(rf"port {PORT} cannot be used .*leave --port away", done.stderr)


def test_without_the_extra_it_says_what_to_run(run: Path) -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from evolve.cli import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, "ui", "--db", str(run)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install -e '.[ui]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_run_that_is_not_there_is_said_at_the_terminal(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "evolve", "ui", "--db", str(tmp_path / "none.db")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
