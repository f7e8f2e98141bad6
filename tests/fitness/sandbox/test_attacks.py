"""What a method must not be able to do: each attack is an error to it; it goes on, and reports whether it got through."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import numpy as np
import pytest
import sklearn
from small_problem import LIMITS

from fitness.nouns import Problem, Status
from fitness.sandbox.client import Sandbox

ROOT = Path(__file__).parents[3]

HARNESS = """
import builtins, ctypes, mmap, os, resource, signal, socket, struct, subprocess, sys, threading, torch
libc = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    function = getattr(libc, name)
    function.restype = ctypes.c_int
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)

def attack():
{body}

def method(problem):
    try:
        attack()
        through = 1.0
    except (OSError, ImportError, RuntimeError, ValueError):
        through = 0.0
    return torch.full((len(problem.test_x),), through)
"""

ATTACKS = {
    "fork": "os.fork()",
    "vfork and exec": "subprocess.run(['/bin/true'])",
    "exec": "os.execv(sys.executable or '/usr/bin/env', ['x'])",
    "posix_spawn": "os.posix_spawn('/usr/bin/env', ['env'], {})",
    "a TCP socket": "socket.socket()",
    "a UDP socket": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "a unix socket": "socket.socket(socket.AF_UNIX)",
    "a socket pair": "socket.socketpair()",
    "a signal to the zygote": "os.kill(os.getppid(), 0)",
    "a signal to everybody": "os.kill(-1, 0)",
    "a signal by owner": "import fcntl; r, w = os.pipe(); fcntl.fcntl(r, fcntl.F_SETOWN, os.getppid())",
    "a pidfd": "os.pidfd_open(os.getppid())",
    "the zygote's memory": "call('process_vm_readv', os.getppid(), None, 0, None, 0, 0)",
    "ptrace": "call('ptrace', 16, os.getppid(), 0, 0)",
    "the zygote's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (9, 9))",
    "its own limits": "resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))",
    "renice": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)",
    "affinity of the zygote": "os.sched_setaffinity(os.getppid(), {0})",
    "outliving the zygote": "call('prctl', 1, 0, 0, 0, 0)",
    "outliving the zygote, disguised": "call('prctl', ctypes.c_ulong((1 << 32) | 1), 0, 0, 0, 0)",
    "memory in a file": "os.memfd_create('x')",
    "shared memory": "call('shmget', 0, 4096, 0o1600)",
    "io_uring": "call('syscall', 425, 8, None)",
    "a system call from the future": "call('syscall', 480, 0)",
    "the x32 table": "call('syscall', 0x40000000 | 39)",
    "new namespaces": "call('unshare', 0x10000000)",
    "mount": "call('mount', None, b'/', b'tmpfs', 0, None)",
    "keys of the kernel": "call('syscall', 250, 0, -3, 0) if os.uname().machine == 'x86_64' else call('keyctl', 0, -3, 0)",
    "writing to /tmp": "open('/tmp/evolve-attack', 'w')",
    "writing to /dev/shm": "open('/dev/shm/evolve-attack', 'w')",
    "writing to the root": "open('/evolve-attack', 'w')",
    "writing beside torch": "open(os.path.dirname(torch.__file__) + '/evolve_attack.py', 'w')",
    "a folder": "os.mkdir('/tmp/evolve-attack')",
    "a link": "os.symlink('/etc/passwd', '/tmp/evolve-attack')",
    "chmod": "os.chmod(torch.__file__, 0o644)",
    "changing a clock on a file": "os.utime(torch.__file__)",
    "/etc/passwd": "open('/etc/passwd').read()",
    "the zygote's environment": "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
    "its own proc": "open('/proc/self/maps').read()",
    "listing processes": "os.listdir('/proc')",
    "listing the root": "os.listdir('/')",
    "listing home": "os.listdir(os.path.expanduser('~root'))",
    "the digits' labels": "import sklearn.datasets; sklearn.datasets.load_digits()",
    "the environment": "os.environ['EVOLVE_TEST_SECRET'] if 'EVOLVE_TEST_SECRET' in os.environ else call('read', -1, None, 0)",
    "our packages": "import fitness.nouns",
    "an endless descriptor table": "[os.dup(1) for _ in range(300)]",
}


def got_through(sandbox: Sandbox, problem: Problem, body: str) -> bool:
    outcome = sandbox.run(HARNESS.format(body=textwrap.indent(body, "    ")), problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message
    assert outcome.predictions is not None
    return bool(outcome.predictions[0, 1] == 1.0)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_only_an_error(sandbox: Sandbox, problem: Problem, name: str) -> None:
    assert not got_through(sandbox, problem, ATTACKS[name])


def test_the_harness_sees_an_attack_that_works(sandbox: Sandbox, problem: Problem) -> None:
    assert got_through(sandbox, problem, "os.getpid()")
    assert got_through(sandbox, problem, "threading.Thread(target=print).start()")
    assert got_through(sandbox, problem, "open(torch.__file__).read()")
    assert got_through(sandbox, problem, "open(os.devnull, 'w').write('x')")


def test_files_that_this_process_can_read_cannot_be_read_inside(sandbox: Sandbox, problem: Problem, tmp_path: Path) -> None:
    vault = Path(os.environ["EVOLVE_HOME"]) / "vault" / "key"
    vault.parent.mkdir(parents=True, exist_ok=True)
    vault.write_text("secret")
    parent = Path(f"/proc/{os.getpid()}")
    digits = Path(sklearn.__file__).parent / "datasets" / "data" / "digits.csv.gz"
    wanted = [vault, ROOT / "pyproject.toml", ROOT / "fitness" / "nouns.py", digits, ROOT / "fitness" / "sandbox" / "runner.py"]
    assert all(path.read_bytes() for path in wanted)
    for path in [*wanted, parent / "environ", parent / "cmdline", parent / "maps"]:
        assert not got_through(sandbox, problem, f"open({str(path)!r}, 'rb').read(1)"), path
    for folder in (ROOT, vault.parent, tmp_path):
        os.listdir(folder)
        assert not got_through(sandbox, problem, f"os.listdir({str(folder)!r})"), folder


def test_nothing_was_left_behind(sandbox: Sandbox, problem: Problem) -> None:
    for folder in ("/tmp", "/dev/shm", "/"):
        assert not (Path(folder) / "evolve-attack").exists()


def test_the_environment_holds_switches_only(sandbox: Sandbox, problem: Problem) -> None:
    from fitness.sandbox.launch import ENVIRONMENT, HASH_SEED

    allowed = {*ENVIRONMENT, *HASH_SEED, "LC_CTYPE", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "EVOLVE_HOME"}
    source = f"import os, torch\ndef method(p):\n    more = set(os.environ) - {allowed!r}\n    assert not more, more\n"
    source += "    return torch.zeros(300)"
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message


def test_only_its_own_pipes_and_inputs_are_open(sandbox: Sandbox, problem: Problem) -> None:
    source = """
import os, torch
def method(problem):
    found = []
    for descriptor in range(4096):
        try:
            os.fstat(descriptor)
            found.append(descriptor)
        except OSError:
            pass
    return torch.full((300,), len(found) / 10)
"""
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.predictions is not None, outcome.message
    assert np.isclose(outcome.predictions[0, 1], 0.5), "stdin, stdout, stderr, result, and the mapping's of the inputs"


@pytest.mark.parametrize(
    "module", ["sklearn.cluster", "sklearn.gaussian_process", "scipy.signal", "scipy.cluster.vq", "torch.fft"]
)
def test_ordinary_libraries_work(sandbox: Sandbox, problem: Problem, module: str) -> None:
    assert got_through(sandbox, problem, f"import {module}")


def test_parallel_sklearn_falls_back_to_one_process(sandbox: Sandbox, problem: Problem) -> None:
    source = """
from sklearn.ensemble import RandomForestClassifier
def method(problem):
    forest = RandomForestClassifier(20, n_jobs=4, random_state=0).fit(problem.train_x, problem.weak.argmax(1))
    return forest.predict_proba(problem.test_x)
"""
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message


def test_torch_compile_is_a_no_op(sandbox: Sandbox, problem: Problem) -> None:
    source = "import torch\ndef method(p):\n    return torch.compile(lambda x: x.sigmoid())(p.test_x[:, 0])"
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message
