"""The world around an attack: what is worth stealing, whom it could hurt, and the eyes that see whether it did.

Everything is looked at from outside: files, another process, listeners, the processes that are alive, what came back as
predictions. Only what leaves no trace is believed of the attacker himself.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import json
import os
import resource
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import sklearn
import torch

from tests.security.attacks import outside

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SCRIPTS = HERE / "scripts"
DIGITS = Path(sklearn.__file__).parent / "datasets" / "data" / "digits.csv.gz"
LIBRARY = Path(torch.__file__).parent / "version.py"
RUNNER = ROOT / "fitness" / "sandbox" / "inside" / "runner.py"
SECONDS, MEMORY, DISK, OUTPUT = 2.0, 256 << 20, 1 << 20, 1 << 16
ROWS = 300
FOLDERS = ("/", "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue")
PARSE_SECONDS = 10.0
PARSE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
import libcst
libcst.parse_module(open(sys.argv[1], "rb").read())
"""
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Attempt:
    """What came of one run of an attack.

    Attributes:
        status: as the evaluator calls it.
        values: (rows,) or (rows, 2) predictions, flat; empty when there are none.
        seconds: how long it took.
        message: what a person would read.
        score: what the evaluator thinks of it, when it scores beside the method.
    """

    status: str
    values: np.ndarray
    seconds: float
    message: str = ""
    score: float = 0.0


@dataclass
class Arena:
    """Secrets, a victim, listeners; `reset` puts everything back, `seen` says what an attack did."""

    place: Path
    mark: str = field(default_factory=lambda: f"mark{secrets.token_hex(6)}")

    def __post_init__(self) -> None:
        self.home = self.place / "home"
        self.labels = np.random.default_rng(5).permutation(np.arange(ROWS) % 2).astype(np.uint8)
        self._secrets = {name: f"secret-{name}-{secrets.token_hex(12)}".encode() for name in _SECRETS}
        self._held = ctypes.create_string_buffer(self._secrets["memory"])
        self._size = 40_000 + secrets.randbelow(10_000)
        self._library, self._runner = LIBRARY.read_bytes(), RUNNER.read_bytes()
        os.environ["EVOLVE_TEST_SECRET"] = self._secrets["environment"].decode()
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what leaves its family comes to us
        self._victim: subprocess.Popen[str] | None = None
        self._listeners = _listen(self.place / "socket", self.mark)
        self._system_v()
        self._plain: subprocess.Popen[str] | None = None
        self.reset()

    def reset(self) -> None:
        """Put every file, the victim and the library back as they were."""
        for path in self._marked():
            subprocess.run(["rm", "-rf", str(path)], check=False)
        for name in ("vault", "cache", "library"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        files = {"vault/key": "vault", "cache/chat.bin": "cache", ".env": "dotfile", "victim": "descriptor", "movable": "vault"}
        for name, secret in {**files, "deletable": "vault"}.items():
            (self.home / name).write_bytes(self._secrets[secret])
        np.save(self.home / "labels.npy", self.labels)
        (self.home / "vault/labels").write_bytes(self._secrets["labels"] + bytes(400))
        sized = self.home / "sized"
        sized.write_bytes(bytes(self._size))
        sized.chmod(0o600)
        os.utime(sized)
        os.chown(sized, os.getuid(), os.getgid())
        with contextlib.suppress(OSError):
            os.setxattr(sized, "user.secret", self._secrets["attribute"])
        (self.home / "link").unlink(missing_ok=True)
        (self.home / "link").symlink_to(self._secrets["link"].decode())
        (self.home / "archive.db").unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(self.home / "archive.db")) as archive:
            archive.execute("create table secrets (text)")
            archive.execute("create table scores (pgr)")
            archive.execute("insert into secrets values (?)", [self._secrets["archive"].decode()])
            archive.execute("insert into scores values (0.1)")
            archive.commit()
        for path, content in ((LIBRARY, self._library), (RUNNER, self._runner)):
            copy = self.home / "library" / path.name
            copy.write_bytes(content)
            with contextlib.suppress(OSError):
                os.removexattr(copy, "user.word")
            if path.read_bytes() != content:
                path.write_bytes(content)
        self._shared_file.write_bytes(self._secrets["shared"])
        if self._victim is not None:
            self._victim.kill()
            self._victim.communicate()
        self._start_victim()

    def close(self) -> None:
        """Leave nothing behind."""
        self.stop_plain()
        if self._victim is not None:
            self._victim.kill()
            self._victim.communicate()
        for listener in self._listeners:
            listener.close()
        self._shared_file.unlink(missing_ok=True)
        _LIBC.shmctl(self._shared, 0, None)
        _LIBC.msgctl(self._queue, 0, None)
        if self._key > 0:
            _LIBC.syscall(outside.NUMBER["keyctl"], 9, self._key, -3)  # KEYCTL_UNLINK
        os.environ.pop("EVOLVE_TEST_SECRET", None)  # the other suite in this process may have planted it too

    def source(self, script: Path, walls: bool) -> str | bytes:
        """Return the text of an attack with all that its author would like to know: on the first line, before his own."""
        text = script.read_text()
        if script.parent.name == "screen":
            module = self._load(script, walls)
            written: str | bytes = module.source()
            return written
        common = (HERE / "outside.py").read_text()
        first = "import sys, types; _outside = types.ModuleType('outside'); sys.modules['outside'] = _outside; "
        first += f"exec({common!r}, _outside.__dict__); _outside.__dict__.update({self.known(walls)!r})"
        return f"{first}\n{text}"

    def known(self, walls: bool) -> dict[str, object]:
        """Return what an attacker is assumed to know; without walls he is given copies to damage."""
        assert self._victim is not None
        copies = self.home / "library"
        return {
            "MARK": self.mark,
            "HOME": str(self.home),
            "VAULT_KEY": str(self.home / "vault/key"),
            "LABELS": str(self.home / "vault/labels"),
            "CACHE": str(self.home / "cache/chat.bin"),
            "ARCHIVE": str(self.home / "archive.db"),
            "SIZED": str(self.home / "sized"),
            "LINK": str(self.home / "link"),
            "MOVABLE": str(self.home / "movable"),
            "DELETABLE": str(self.home / "deletable"),
            "REPOSITORY": str(ROOT),
            "DIGITS": str(DIGITS),
            "LIBRARY": str(LIBRARY if walls else copies / LIBRARY.name),
            "RUNNER": str(RUNNER if walls else copies / RUNNER.name),
            "TRUSTED": os.getpid(),
            "TRUSTED_ADDRESS": ctypes.addressof(self._held),
            "VICTIM": self._victim.pid,
            "VICTIM_ADDRESS": self._address,
            "VICTIM_FILE": self._file,
            "PORT": self._listeners[0].getsockname()[1],
            "SOCKET": str(self.place / "socket"),
            "SHARED": self._shared,
            "SHARED_FILE": str(self._shared_file),
            "QUEUE": self._queue,
            "KERNEL_KEY": self._key,
            "SECONDS": SECONDS,
            "MEMORY": MEMORY,
            "DISK": DISK,
            "OUTPUT": OUTPUT,
        }

    def plain(self, source: str) -> Attempt:
        """Run an attack where nothing stops it."""
        if self._plain is None or self._plain.poll() is not None:
            command = [sys.executable, str(HERE / "plain.py"), str(self.home / "labels.npy"), str(self.home / "vault/key")]
            pipe = subprocess.PIPE
            self._plain = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=self.home, text=True, start_new_session=True)
            assert self._plain.stdout is not None
            self._plain.stdout.readline()
        assert self._plain.stdin is not None
        assert self._plain.stdout is not None
        began = time.monotonic()
        try:
            self._plain.stdin.write(json.dumps({"source": source, "seconds": SECONDS + 1.5}) + "\n")
            self._plain.stdin.flush()
            found = json.loads(self._plain.stdout.readline())
        except (OSError, ValueError):
            self.stop_plain()
            return Attempt("BROKEN", np.array([]), time.monotonic() - began, "the evaluator is gone, or talks nonsense")
        values = np.array(found["values"], dtype=float)
        return Attempt(found["status"], values, found["seconds"], found["message"], found["score"])

    def processes(self) -> set[int]:
        """Return the processes that the arena itself has started."""
        return {process.pid for process in (self._plain, self._victim) if process is not None}

    def parsed(self, source: str | bytes) -> list[str]:
        """Parse a file as an engine without a worker would; return the evidence that it did not take it well."""
        text = source.encode(errors="surrogatepass") if isinstance(source, str) else source
        (self.place / "source.py").write_bytes(text)
        command = [sys.executable, "-c", PARSE, str(self.place / "source.py")]
        try:
            done = subprocess.run(command, capture_output=True, timeout=PARSE_SECONDS)
        except subprocess.TimeoutExpired:
            return ["the parser takes for ever"]
        if done.returncode < 0:
            return [f"the parser died of signal {-done.returncode}"]
        return ["the parser ran out of memory"] if b"MemoryError" in done.stderr else []

    def stop_plain(self) -> None:
        """Stop the evaluator without walls."""
        if self._plain is not None:
            self._plain.kill()
            self._plain.communicate()
            self._plain = None

    def look(self) -> dict[str, object]:
        """Return the state of all that an attack must not change."""
        assert self._victim is not None
        pid = self._victim.pid
        paths = [self.home / name for name in ("sized", "movable", "deletable", "archive.db")]
        paths += [LIBRARY, RUNNER, self.home / "library" / LIBRARY.name, self.home / "library" / RUNNER.name]
        return {
            **{f"the file {path.name} ({i})": _fingerprint(path) for i, path in enumerate(paths)},
            "files that were made": sorted(map(str, self._marked())),
            "the victim's signals": self._log.read_text() if self._log.exists() else "",
            "the victim's memory": self._victim_memory(),
            "the victim's niceness": os.getpriority(os.PRIO_PROCESS, pid),
            "the victim's cores": os.sched_getaffinity(pid),
            "the victim's policy": os.sched_getscheduler(pid),
            "the victim's limits": resource.prlimit(pid, resource.RLIMIT_NOFILE),
            "the victim's score": Path(f"/proc/{pid}/oom_score_adj").read_text(),
            "the judge's niceness": os.getpriority(os.PRIO_PROCESS, 0),
            "calls to a listener": self._calls(),
        }

    def seen(self, attempt: Attempt, before: Mapping[str, object]) -> list[str]:
        """Return the evidence that an attack got through; nothing when it was contained."""
        evidence = [f"{what} changed" for what, now in self.look().items() if now != before[what]]
        values = attempt.values.reshape(ROWS, -1)[:, -1] if attempt.values.size in (ROWS, 2 * ROWS) else attempt.values
        with np.errstate(invalid="ignore"):
            spelled = bytes(np.nan_to_num(values * 255).round().clip(0, 255).astype(np.uint8))
        told = spelled + attempt.message.encode(errors="replace")
        evidence += [f"{name} came back" for name, secret in self._worth().items() if secret in told]
        if outside.THROUGH in spelled:
            evidence.append("it says that it got through")
        if values.size and not (values.size == ROWS and np.isfinite(values).all() and 0 <= values.min() <= values.max() <= 1):
            evidence.append("values that are no probabilities were taken")
        if attempt.score > 0.9 or (values.size == ROWS and np.mean((values > 0.5) == self.labels) > 0.9):
            evidence.append("its score is forged")
        if attempt.status in ("LOST", "BROKEN", "RUNNING"):
            evidence.append(_FAULTS[attempt.status])
        if attempt.status == "OK" and attempt.seconds > SECONDS:
            evidence.append("its answer was taken although it came late")
        if any(not c.isprintable() for c in attempt.message) or len(attempt.message) > 1000:
            evidence.append("its message commands the terminal")
        return evidence

    def _worth(self) -> dict[str, bytes]:
        from sklearn.datasets import load_digits

        known = {f"the secret of {name}": secret for name, secret in self._secrets.items()}
        known["a word of the memory of another"] = self._secrets["descriptor"][:8]
        known["the size of a hidden file"] = f"size {self._size}".encode()
        known["the digits' labels"] = bytes(load_digits().target[:64].astype(np.uint8))
        for path in (DIGITS, ROOT / "fitness" / "judge.py", ROOT / "fitness" / "assets" / "strong.safetensors"):
            known[path.name] = path.read_bytes()[:64]
        known["the list of users"] = Path("/etc/passwd").read_bytes()[:64]
        return known

    def _load(self, script: Path, walls: bool) -> ModuleType:
        spec = importlib.util.spec_from_file_location("outside", HERE / "outside.py")
        assert spec is not None
        assert spec.loader is not None
        shared = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(shared)
        shared.__dict__.update(self.known(walls))
        sys.modules["outside"] = shared
        module = ModuleType(script.stem)
        exec(compile(script.read_text(), str(script), "exec"), module.__dict__)
        del sys.modules["outside"]
        return module

    def _marked(self) -> list[Path]:
        places = [Path(folder) for folder in FOLDERS]
        places += [self.home, self.home / "library", LIBRARY.parent, RUNNER.parent]
        return [Path(e.path) for place in places if os.access(place, os.R_OK) for e in os.scandir(place) if self.mark in e.name]

    def _start_victim(self) -> None:
        self._log = self.place / "signals"
        self._log.unlink(missing_ok=True)
        command = [sys.executable, str(HERE / "victim.py"), str(self.home / "victim"), str(self._log)]
        pipe = subprocess.PIPE
        self._victim = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
        assert self._victim.stdout is not None
        self._address, self._file = map(int, self._victim.stdout.readline().split())

    def _victim_memory(self) -> str:
        assert self._victim is not None
        assert self._victim.stdin is not None
        assert self._victim.stdout is not None
        try:
            self._victim.stdin.write("?")
            self._victim.stdin.flush()
        except OSError:
            return "gone"
        return self._victim.stdout.readline()

    def _calls(self) -> int:
        count = 0
        for listener in self._listeners:
            with contextlib.suppress(BlockingIOError):
                while True:
                    if listener.type == socket.SOCK_DGRAM:
                        listener.recv(100)
                    else:
                        listener.accept()[0].close()
                    count += 1
        return count

    def _system_v(self) -> None:
        self._shared_file = Path("/dev/shm") / f"evolve-test-{secrets.token_hex(6)}"
        self._shared = _LIBC.shmget(0, 4096, 0o1600)
        _LIBC.shmat.restype = ctypes.c_void_p
        ctypes.memmove(_LIBC.shmat(self._shared, None, 0), self._secrets["shared"], len(self._secrets["shared"]))
        self._queue = _LIBC.msgget(0, 0o1600)
        message = ctypes.create_string_buffer((1).to_bytes(8, sys.byteorder) + self._secrets["queue"])
        _LIBC.msgsnd(self._queue, message, len(self._secrets["queue"]), 0)
        payload = self._secrets["keyring"]
        number = {"x86_64": 248, "aarch64": 217}[os.uname().machine]  # add_key; -3 is the session's keyring
        self._key = _LIBC.syscall(number, b"user", self.mark.encode(), payload, ctypes.c_size_t(len(payload)), -3)


_SECRETS = (
    *("vault", "labels", "cache", "archive", "dotfile", "descriptor", "memory", "environment", "attribute", "link"),
    *("shared", "queue", "keyring"),
)
_FAULTS = {
    "LOST": "its failure counts as ours",
    "BROKEN": "the evaluator is broken",
    "RUNNING": "nobody stopped it",
}


def scripts() -> list[Path]:
    """Return every attack."""
    return sorted(SCRIPTS.glob("*/*.py"))


def name(script: Path) -> str:
    """Return the name of an attack: CLASS/NAME."""
    return f"{script.parent.name}/{script.stem}"


def about(script: Path) -> str:
    """Return an attack's docstring: what it wants, what success is, and why it may fail even without walls."""
    return script.read_text().split('"""')[1]


def family() -> set[int]:
    """Return the processes below this one that are alive."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            parents[int(stat.parent.name)] = (state, int(parent))
    found: set[int] = set()
    todo = [os.getpid()]
    while todo:
        over = todo.pop()
        below = [pid for pid, (_, parent) in parents.items() if parent == over]
        todo += below
        found |= {pid for pid in below if parents[pid][0] != "Z"}
    return found


def settled() -> set[int]:
    """Return the processes below this one once two looks in a row see the same: what an earlier test began may still start."""
    before, now = set[int](), family()
    while now != before:
        time.sleep(0.01)
        before, now = now, family()
    return now


def wait_for_less(count: int) -> set[int]:
    """Wait up to two seconds until no more than some processes are below this one; return those there are."""
    end = time.monotonic() + 2
    while len(now := family()) > count and time.monotonic() < end:
        time.sleep(0.01)
    return now


def kill(processes: Sequence[int] | set[int]) -> None:
    """End what an attack left running."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _fingerprint(path: Path) -> tuple[object, ...]:
    try:
        found = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        marks = [name for name in os.listxattr(path) if name != "user.secret"]
        return found.st_mode, found.st_uid, found.st_mtime_ns, found.st_nlink, content, tuple(marks)
    except OSError:
        return ("gone",)


def _listen(path: Path, mark: str) -> list[socket.socket]:
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    unix, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    unix.bind(str(path))
    abstract.bind(f"\0{mark}")
    unix.listen()
    abstract.listen()
    found = [tcp, udp, unix, abstract]
    with contextlib.suppress(OSError):
        found.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    for listener in found:
        listener.setblocking(False)
    return found
