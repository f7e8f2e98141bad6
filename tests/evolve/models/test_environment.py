"""What the environment says about proxies and certificates, tried with a real proxy: prompts for this machine avoid it."""

import contextlib
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading

import pytest

from evolve import models
from evolve.errors import ModelError, UsageError
from evolve.models import Settings
from evolve.models.environment import route_to
from evolve.models.retry import Patience
from tests.support.canned_server import METHOD, Canned, CannedServer, completion, in_turn

VARIABLES = [f"{scheme}_PROXY" for scheme in ("HTTP", "HTTPS", "ALL", "NO")]
AWAY = "http://model.example.org:8000/v1"
PROXY = "http://proxy.example.org:3128"


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-geheim-0001")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-geheim-0002")


def load(url, name="openai:tiny"):
    return models.load(name, url, settings=Settings(patience=Patience(attempts=1)))


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "127.1"])
def test_a_prompt_for_this_machine_passes_no_proxy(variable, host, monkeypatch):
    with CannedServer(in_turn(completion())) as server, CannedServer(in_turn(Canned(502))) as proxy:
        monkeypatch.setenv(variable, proxy.root)
        assert load(server.url.replace("127.0.0.1", host)).ask("s", "p").text == METHOD
    assert proxy.asked == []


def test_claude_on_this_machine_passes_no_proxy(monkeypatch):
    with CannedServer(in_turn(Canned(404))) as server, CannedServer(in_turn(Canned(502))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.root)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        with pytest.raises(ModelError, match="404"):
            load(None, "anthropic:tiny").ask("s", "p")
    assert proxy.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1]:8000/v1",
        "http://[::ffff:127.0.0.1]:8000/v1",
        "http://a.localhost:8000/v1",
        "http://LOCALHOST.:8000/v1",
        "http://host.docker.internal:8000/v1",
        f"http://{socket.gethostname()}:8000/v1",
    ],
)
def test_every_name_of_this_machine_is_known(url, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    assert route_to(url).proxy == ""


@pytest.mark.parametrize("asked", ["proxy", "{}", "http://{}"])
def test_a_server_elsewhere_is_reached_through_the_proxy(asked, monkeypatch):
    with CannedServer(in_turn(completion())) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.root if asked == "proxy" else asked.format(proxy.root.removeprefix("http://")))
        assert load(AWAY).ask("s", "p").text == METHOD
    assert [asked.path for asked in proxy.asked] == [f"{AWAY}/chat/completions"]


@pytest.mark.parametrize(
    "exceptions",
    [
        "*",
        "model.example.org",
        ".example.org",
        "example.org",
        "*.example.org",
        "a.b, MODEL.example.org:8000",
        "http://example.org",
    ],
)
def test_no_proxy_is_obeyed(exceptions, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    assert route_to(AWAY).proxy == PROXY
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert route_to(AWAY).proxy == ""
    assert route_to("http://notexample.org/v1").proxy == ("" if exceptions == "*" else PROXY)


def test_no_proxy_may_name_a_network(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,[fd00::]/8")
    assert [route_to(f"http://{h}/v1").proxy for h in ("10.1.2.3", "11.1.2.3")] == ["", PROXY]


@pytest.mark.parametrize(
    ("proxy", "sentence"),
    [
        (
            "socks5://me:geheim@127.0.0.1:1080",
            r"SOCKS proxy, 'socks5://127\.0\.0\.1:1080', which needs the package socksio: run `pip",
        ),
        (
            "socks4://127.0.0.1:1080",
            r"HTTP_PROXY names a proxy 'socks4://127\.0\.0\.1:1080', and only http://, https://, socks5://",
        ),
        ("ftp://geheim@x:1", "and only http://"),
        ("http://", "is no URL of a proxy"),
        ("http://x:99999", "is no URL of a proxy"),
        ("http://x:port", "is no URL of a proxy"),
        ("http://[::1", "is no URL of a proxy"),
        ("a b c", "is no URL of a proxy"),
        ("http://prøxy", "is no URL of a proxy"),
        (":8080", "is no URL of a proxy"),
        ("http://proxy..corp:3128", "is no URL of a proxy"),
        ("https://.corp:3128", "is no URL of a proxy"),
        (f"{'a' * 64}.corp:3128", "is no URL of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_sentence_at_the_start(proxy, sentence, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(UsageError, match=sentence) as caught:
        load(AWAY)
    assert "NO_PROXY=model.example.org" in str(caught.value)
    assert "geheim" not in str(caught.value)
    with CannedServer(in_turn(completion())) as server:
        assert load(server.url).ask("s", "p").text == METHOD, "a server on this machine has nothing to do with it"


def test_a_proxy_that_is_not_there_is_a_sentence_without_its_password(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"http://me:geheim@127.0.0.1:{port}")
    with pytest.raises(
        ModelError, match=rf"through the proxy http://127\.0\.0\.1:{port} \(.*\): is the proxy right\?"
    ) as caught:
        load(AWAY).ask("s", "p")
    assert "geheim" not in str(caught.value)


def test_what_a_proxy_says_is_shown_without_its_password(monkeypatch):
    with CannedServer(in_turn(Canned(403, "me:geheim-wort is not allowed bWU6Z2VoZWltLXdvcnQ="))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.root.replace("//", "//me:geheim-wort@"))
        with pytest.raises(ModelError, match=r"\[key\] is not allowed \[key\]") as caught:
            load(AWAY).ask("s", "p")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_stale_certificates_are_a_sentence_at_the_start(variable, monkeypatch, tmp_path):
    monkeypatch.setenv(variable, str(tmp_path / "gone"))
    with pytest.raises(
        UsageError, match=rf"the certificates in {variable} cannot be used .*gone.*: correct it, or unset {variable}"
    ):
        load("https://model.example.org/v1")
    with CannedServer(in_turn(completion())) as server:
        assert load(server.url).ask("s", "p").text == METHOD


def test_a_file_that_holds_no_certificates_is_a_sentence(monkeypatch, tmp_path):
    path = tmp_path / "certificates.pem"
    path.write_text("nothing of the kind")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(UsageError, match="the certificates in SSL_CERT_FILE cannot be used"):
        load("https://model.example.org/v1")


class Tunnel(socketserver.StreamRequestHandler):
    """A proxy that leads every CONNECT to one server, and remembers where to."""

    def handle(self):
        self.server.asked.append(self.rfile.readline().decode().split()[1])
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(self.server.target) as onward:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, self.connection), daemon=True)
            back.start()
            pump(self.connection, onward)
            back.join(5)


def pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def tunnel(target, context=None):
    """Run such a proxy, behind TLS when a context is given."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        server.daemon_threads, server.target, server.asked = True, target, []
        server.socket = context.wrap_socket(server.socket, server_side=True) if context else server.socket
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def certified(tmp_path):
    """Return a certificate of its own for two names, in a file, and a server's context that has it."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    key, certificate = tmp_path / "key", tmp_path / "certificate.pem"
    new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=model.example.org"
    names = ["-addext", "subjectAltName=DNS:model.example.org,DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        ["openssl", *new.split(), *names, "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


@pytest.mark.parametrize("scheme", ["http", "https", ""])
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_of_ones_own_check_the_server_behind_a_proxy_of_either_scheme(scheme, variable, certified, monkeypatch):
    certificate, context = certified
    if variable == "SSL_CERT_DIR":
        subprocess.run(["openssl", "rehash", certificate.parent], check=True, stderr=subprocess.DEVNULL)
    monkeypatch.setenv(variable, str(certificate if variable == "SSL_CERT_FILE" else certificate.parent))
    with CannedServer(in_turn(completion())) as server:
        server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
        with tunnel(server._http.server_address, context if scheme == "https" else None) as proxy:
            address = f"127.0.0.1:{proxy.server_address[1]}"
            monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{address}" if scheme else address)
            assert load("https://model.example.org/v1").ask("s", "p").text == METHOD
            monkeypatch.delenv(variable)
            with pytest.raises(ModelError, match=r"(?i)certificate"):
                load("https://model.example.org/v1").ask("s", "p")
    assert set(proxy.asked) <= {"model.example.org:443"}
    assert proxy.asked


def test_other_variables_of_http_clients_change_nothing(monkeypatch, tmp_path):
    plain, others = [], {
        "OPENAI_CUSTOM_HEADERS": "X-Other: geheim",
        "ANTHROPIC_CUSTOM_HEADERS": "X-Other: geheim",
        "OPENAI_ORG_ID": "org-\ngeheim",
        "OPENAI_PROJECT_ID": "proj-geheim",
        "OPENAI_LOG": "debug",
        "SSLKEYLOGFILE": str(tmp_path / "no" / "folder"),
        "NETRC": str(tmp_path / "gone"),
        "REQUESTS_CA_BUNDLE": str(tmp_path / "gone"),
    }  # fmt: skip
    with CannedServer(in_turn(completion())) as server:
        for name in ({}, others):
            for variable, value in name.items():
                monkeypatch.setenv(variable, value)
            load(server.url).ask("s", "p")
            plain.append(server.asked[-1].headers)
    assert plain[0] == plain[1]
    ours = "Host Accept Accept-Encoding Connection User-Agent Authorization Content-Length Content-Type"
    assert set(plain[0]) <= set(ours.split())
    load("https://model.example.org/v1")
