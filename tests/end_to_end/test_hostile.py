"""Archives and files from strangers: every reading verb ends with a clean answer or a clean sentence, and nothing is run."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.sqlite import connection as archives
from evolve.cli import run
from tests.support import hostile, tiny

CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u200b\u2800\u3164\ufe0f\U000e0041]"
)
OURS = [' type="application/json" id="board-data"', ' type="application/json" id="pages"', ""]  # a page's scripts
PAGES = (["report"], ["report", "--format", "md"], ["report", "--format", "json"])
TEXTS = (
    ["status"],
    ["top"],
    ["show"],
    ["show", "--prompt"],
    ["diff"],
    ["lineage"],
    ["map"],
    ["failures"],
    ["costs"],
    ["find", "e"],
    *([*p, "--out", "-"] for p in PAGES),
)
OBJECTS = ([verb, "--json"] for verb in ("status", "top", "show", "diff", "lineage", "map", "failures", "costs"))
VERBS = (*TEXTS, *OBJECTS, ["export"])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile.example(tmp_path_factory.mktemp("base") / "run.db")


@pytest.fixture
def db(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(base, tmp_path / "run.db"))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "PATIENCE", 0.5)


def read(db: Path, verbs: Sequence[Sequence[str]] = VERBS) -> list[str]:
    """Call the verbs; each returns 0, or 2 with one clean sentence, and no bug of ours gets through."""
    texts = []
    for verb in verbs:
        out, err = io.StringIO(), io.StringIO()
        more = ["--out", str(db.parent / "methods")] if verb == ["export"] else []
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*verb, *more, "--db", str(db)])
        assert code in (0, 2), verb
        said = err.getvalue()
        assert bool(said) == (code == 2), (verb, said)
        assert said == "" or (said.startswith("evolve: ") and said.count("\n") == 1 and len(said) < 1000), (verb, said)
        for text in (out.getvalue(), said):
            found = CONTROLS.search(text)
            assert not found, (verb, text[max(0, found.start() - 60) : found.end()])
        if "--json" in verb and code == 0:
            json.loads(out.getvalue(), parse_constant=lambda name: pytest.fail(name))
        texts.append(out.getvalue())
    return texts


@pytest.mark.parametrize("spoil", [hostile.free_texts, hostile.names_and_ids, hostile.every_text])
def test_texts_steer_no_terminal(db: Path, spoil: Callable[[Path], None]) -> None:
    spoil(db)
    texts = read(db)
    if spoil is not hostile.every_text:
        assert sum("document.title" in text.replace("\\", "") for text in texts) >= 10, "the payload is shown, and harmless"


def test_ancestors_that_go_in_circles_end(db: Path) -> None:
    hostile.script(db, hostile.CYCLES)
    assert all(read(db))


@pytest.mark.parametrize("view", hostile.VIEWS)
def test_views_and_triggers_of_a_strangers_are_bounded(db: Path, view: str) -> None:
    hostile.script(db, hostile.VIEWS[view])
    before = db.read_bytes()
    read(db)
    assert db.read_bytes() == before


ARCHIVE = (["check"], ["check", "--repair", "--out", "OUT"], ["regrid", "--grid", "cvt", "--out", "OUT"])


def maintain(db: Path) -> None:
    """Check, repair and regrid an archive: what is said is clean, an error is one sentence, and the archive stays."""
    before = db.read_bytes()
    for number, verb in enumerate([[*verb, *more] for verb in ARCHIVE for more in ([], ["--json"])]):
        words = [str(db.with_name(f"{number}.db")) if word == "OUT" else word for word in verb]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(["archive", *words, "--db", str(db)])
        said = err.getvalue()
        assert code in (0, 2), (verb, said)
        assert out.getvalue() if not said else said.startswith("evolve: ") and said.count("\n") == 1, (verb, said)
        assert not CONTROLS.search(out.getvalue() + said), verb
    assert db.read_bytes() == before


@pytest.mark.parametrize("spoil", [hostile.free_texts, hostile.names_and_ids, hostile.every_text, hostile.loosen])
def test_a_strangers_archive_is_repaired_and_moved_or_refused(db: Path, spoil: Callable[[Path], None]) -> None:
    spoil(db)
    maintain(db)


@pytest.mark.parametrize("held", hostile.BROKEN, ids=range(len(hostile.BROKEN)))
def test_a_grid_that_is_none_is_a_sentence(db: Path, held: str) -> None:
    hostile.put(db, ("runs", "grid", held))
    read(db, [["map"], ["report", "--out", "-"]])
    maintain(db)


@pytest.mark.slow
@pytest.mark.parametrize("column", hostile.JSON, ids=".".join)
def test_json_that_is_none_is_a_sentence(db: Path, column: tuple[str, str]) -> None:
    hostile.loosen(db)
    for held in hostile.BROKEN:
        hostile.put(db, (*column, held))
        read(db, TEXTS)


def spoil_columns(base: Path, db: Path, values: int, verbs: Sequence[Sequence[str]]) -> None:
    loose = Path(shutil.copy(base, db.with_name("loose.db")))
    hostile.loosen(loose)
    for change in hostile.one_by_one(base, values):
        shutil.copy(loose, db)
        hostile.put(db, change)
        try:
            read(db, verbs)
        except Exception as error:
            raise AssertionError(f"{change!r:.200}") from error


def test_a_column_of_another_type_is_a_dash_or_a_sentence(base: Path, db: Path) -> None:
    spoil_columns(base, db, 1, [["status"], ["show"], ["report", "--out", "-"], ["map"]])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_column_of_every_type_is_a_dash_or_a_sentence(base: Path, db: Path) -> None:
    spoil_columns(base, db, len(hostile.VALUES), TEXTS)


def test_a_coloured_terminal_gets_no_codes_but_colours(db: Path) -> None:
    hostile.free_texts(db)
    for verb in (["status"], ["top"], ["show", "--prompt"], ["diff"], ["lineage"], ["map"]):
        shown = on_a_terminal([*verb, "--db", str(db)])
        assert "\x1b[" in shown, "it is coloured"
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.replace("\r\n", "\n"))
        assert not CONTROLS.search(plain), (verb, CONTROLS.search(plain))


def on_a_terminal(arguments: Sequence[str]) -> str:
    """Return what a verb writes to a real terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    process = subprocess.Popen(
        [sys.executable, "-m", "evolve", *arguments], stdout=theirs, stderr=theirs, stdin=theirs, env=env
    )
    os.close(theirs)
    parts = []
    with contextlib.suppress(OSError):  # the terminal is gone when the process is
        while part := os.read(ours, 1 << 16):
            parts.append(part)
    os.close(ours)
    assert process.wait(30) == 0
    return b"".join(parts).decode("utf-8")


class Called(BaseHTTPRequestHandler):
    """A server that notes who calls: a script of the page would."""

    calls: list[str]

    def do_GET(self) -> None:
        self.calls.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    calls: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Called,), {"calls": calls}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", calls
    server.shutdown()
    server.server_close()


def browse(browser: str, page: Path, profile: Path) -> str:
    """Return a page as a browser has it after two seconds of its own time."""
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={profile}",
        "--virtual-time-budget=2000",
    ]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("spoil", [hostile.free_texts, hostile.names_and_ids])
def test_no_script_of_a_page_runs_in_a_browser(
    db: Path, tmp_path: Path, listener: tuple[str, list[str]], spoil: Callable[[Path], None]
) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("reports in a browser (needs chromium)")
    url, calls = listener
    spoil(db)
    script = f"document.title='PWNED';fetch('{url}/from-the-page')"
    control = tmp_path / "control.html"
    control.write_text(f"<!doctype html><title>calm</title><script>{script}</script><img src='{url}/image'>")
    assert "<title>PWNED</title>" in browse(browser, control, tmp_path / "profile")
    assert calls, "a page with a script in it would have been noticed"
    calls.clear()
    with sqlite3.connect(db) as held:
        tag = f"<script>{script}</script><img src='{url}/image' onerror=\"{script}\"><link rel=stylesheet href='{url}/css'>"
        held.execute("update runs set verdict = verdict || ?", [tag])
    assert run(["report", "--db", str(db)]) == 0
    page = db.with_suffix(".html")
    assert "PWNED" in page.read_text(encoding="utf-8")
    dom = browse(browser, page, tmp_path / "profile")
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert title
    assert title[1] != "PWNED"
    assert re.findall(r"<script([^>]*)>", dom) == OURS
    dom = re.sub(r"<script[^>]*>.*?</script>", "", dom, flags=re.DOTALL)
    assert not re.search(r"<(script|img|link|iframe|object|embed)\b", dom)
    assert not re.search(r"<[^>]*\s(on\w+|src)=", re.sub(r'"[^"]*"', '""', dom))
    assert calls == []


def test_what_is_exported_is_written_and_never_run(db: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    source = f"open({str(proof)!r}, 'w').close()\n\n\ndef method(problem):\n    return problem.weak[:, 1]\n"
    hostile.loosen(db)
    hostile.put(db, ("methods", "source", source), ("proposals", "source", source))
    read(db)
    assert run(["export", "--db", str(db), "--out", str(tmp_path / "out")]) == 0
    assert source in next((tmp_path / "out").glob("01-*.py")).read_text()
    assert not proof.exists()


def test_links_beside_an_archive_are_not_followed(db: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    for name in ("run.db.lock", ".run.html.part", "run.html"):
        (tmp_path / name).symlink_to(precious)
    assert run(["report", "--db", str(db)]) == 0
    assert run(["status", "--db", str(db)]) == 0
    assert run(["resume", "--db", str(db), "--evals", "+1"]) == 2
    assert precious.read_text() == "mine"


def test_a_pipe_beside_an_archive_hangs_nothing(db: Path) -> None:
    os.mkfifo(f"{db}.lock")
    assert run(["status", "--db", str(db)]) == 0


CONFIGS = {
    "a domain that climbs": ({"domain": "../../../../outside"}, "is not a search domain"),
    "another task": ({"task": "tiny"}, "damaged or was tampered with"),
    "a server of a stranger's": ({"model": ["openai:x"], "base_url": "http://evil.example/v1"}, "name the server yourself"),
    "a stranger's program": ({"model": ["command:/bin/true"]}, "would run that program here"),
    "a password": ({"model": ["openai:x"], "base_url": "http://a:b@localhost/v1"}, "a password or a query"),
    "an executor of a stranger's": ({"executor": "os:system"}, "os:system"),
    "a key that is none": ({"\x1b[2J": 1}, "cannot be used"),
    "no numbers": ({"workers": 10**9}, "workers"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_a_stored_configuration_is_checked_again(
    name: str, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fitness.vault.vault import Vault

    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    changes, sentence = CONFIGS[name]
    config = json.loads(Archive.open(db).run().config) | changes
    hostile.put(db, ("runs", "config", json.dumps(config)), ("runs", "vault", Vault().fingerprint))
    outside = set(tmp_path.parent.rglob("outside*"))
    for verb in (
        ["resume", "--evals", "+1"],
        ["seed", "add", str(Path(__file__).parents[2] / "seeds" / "lda.py")],
        ["sealed", "--yes"],
    ):
        if verb[0] != "resume" and "model" in changes:
            continue  # they ask no model
        assert run([*verb, "--db", str(db)]) == 2
        err = capsys.readouterr().err
        assert sentence in err
        assert not CONTROLS.search(err)
    assert set(tmp_path.parent.rglob("outside*")) == outside


def test_resume_runs_a_strangers_methods_in_the_sandbox_only(root: Path, tmp_path: Path) -> None:
    """A run whose parents and pending children were replaced by methods that write a file; the vault's name is right."""
    db, proof = tmp_path / "run.db", tmp_path / "proof"
    start = [sys.executable, "-m", "tests.support.tiny", "start", *tiny.SMALL, "--evals", "2", "--db", str(db)]
    assert subprocess.run(start, cwd=root, capture_output=True).returncode == 0
    source = (
        f"try:\n    open({str(proof)!r}, 'w').close()\nexcept OSError:\n    pass\n\n\ndef method(problem):\n"
        f"    try:\n        open({str(proof)!r}, 'w').close()\n    except OSError:\n        pass\n"
        "    return problem.weak[:, 1]\n"
    )
    hostile.put(db, ("methods", "source", source), ("proposals", "state", "judging"), ("proposals", "source", source))
    resume = [sys.executable, "-m", "tests.support.tiny", "resume", "--db", str(db), "--evals", "+3"]
    done = subprocess.run(resume, cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    judged = Archive.open(db).rows("select count(*) as n from evaluations where proposal is not null")[0]["n"]
    assert int(str(judged)) > 2, "they were judged"
    assert not proof.exists()
    hostile.put(db, ("proposals", "island", 7))
    done = subprocess.run(resume, cwd=root, capture_output=True, text=True)
    assert done.returncode == 2
    assert "has methods on island 7, and its run 3 islands" in done.stderr


def test_files_that_are_no_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.py")
    Path("zero.py").symlink_to("/dev/zero")
    Path("out.py").symlink_to("/etc/passwd")
    with open("sparse.py", "wb") as file:
        file.truncate(1 << 30)
    Path("folder").mkdir()
    Path("folder/link.py").symlink_to(tmp_path / "sparse.py")
    for name, sentence in {
        "pipe.py": "not a regular file", "zero.py": "not a regular file", "/dev/zero": "not a regular file",
        "out.py": "not a regular file", "sparse.py": "1,073,741,824 bytes long", "folder": "not a regular file",
    }.items():  # fmt: skip
        for verb in (["start", "--seeds", name], ["judge", name]):
            assert run(verb) == 2
            assert sentence in capsys.readouterr().err
    for name in ("pipe.py", "sparse.py", "/dev/zero"):
        assert run(["start", "--config", name]) == 2
        assert "no regular file of at most" in capsys.readouterr().err
