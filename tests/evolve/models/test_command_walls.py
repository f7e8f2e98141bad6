"""What a command cannot see behind real bubblewrap: no way leads to the vault, to the run, or to other processes."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from evolve import models
from evolve.models import Settings, isolation

walled = pytest.mark.skipif(not isolation.works(), reason="needs bubblewrap")
SECRET = "the-label-is-1-0-0-1"


def answer(source: str, **settings) -> str:
    model = models.load(f"command:{shlex.join([sys.executable, '-I', '-c', source])}", settings=Settings(**settings))
    return model.ask("system", "prompt").text


@pytest.fixture
def vault():
    folder = Path(os.environ["EVOLVE_HOME"]) / "vault"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels").write_text(SECRET)
    return folder


SEEK = """
import os, subprocess, sys
vault, run, pid, mark = {vault!r}, {run!r}, {pid}, {secret!r}
def tell(what, found):
    print(what, 'LEAK' if mark.encode() in found else 'no')
def read(path):
    try:
        return open(path, 'rb').read(1 << 20)
    except OSError as error:
        return str(error).encode()
def walk(top):
    return b''.join(read(os.path.join(at, name)) for at, _, names in os.walk(top) for name in names)
def sh(line):
    done = subprocess.run(line, shell=True, capture_output=True)
    return done.stdout + done.stderr
here = os.getpid()
tell('file', read(vault + '/labels'))
tell('list', walk(vault) + walk(os.path.dirname(vault)))
tell('run', read(run + '/run.db'))
tell('root', read(f'/proc/{{pid}}/root' + vault + '/labels') + read(f'/proc/1/root' + vault + '/labels'))
tell('engine', read(f'/proc/{{pid}}/environ') + walk(f'/proc/{{pid}}/fd') + read(f'/proc/{{pid}}/mem'))
others = [n for n in os.listdir('/proc') if n.isdigit() and int(n) not in (1, here)]
tell('all', b''.join(read(f'/proc/{{n}}/environ') + read(f'/proc/{{n}}/root' + vault + '/labels') for n in others))
for at in (vault, os.path.dirname(vault), '/proc', '/', run):
    sh(f'umount {{at}}; umount -l {{at}}; umount -R {{at}}')
sh(f'mount --bind / /mnt; mount -t proc proc /proc; mount -o remount,rw /')
tell('umount', read(vault + '/labels') + read(run + '/run.db'))
inner = f'umount -l {{vault}}; umount -l {{os.path.dirname(vault)}}; umount -l {{run}}; cat {{vault}}/labels {{run}}/run.db'
tell('unshare', sh(f"unshare -Urm sh -c '{{inner}}'") + sh(f"unshare -Urmpf --mount-proc sh -c '{{inner}}'"))
tell('bwrap', sh(f"bwrap --dev-bind / / cat {{vault}}/labels {{run}}/run.db"))
tell('nsenter', sh(f'nsenter -t {{pid}} -m cat {{vault}}/labels') + sh(f'nsenter -t 1 -m cat {{vault}}/labels'))
moved = os.path.dirname(run) + '/moved'
sh(f'mv {{vault}} {{vault}}2; mv {{os.path.dirname(vault)}} {{moved}}')
tell('moved', sh(f'cat {{moved}}/vault/labels {{vault}}2/labels'))
devices = [d for d in os.listdir('/dev') if d.startswith(('vd', 'sd', 'nvme', 'mem', 'kmem', 'dm-', 'loop', 'xvd'))]
print('disks', devices)
def writable(path):
    try:
        os.close(os.open(path, os.O_WRONLY))
        return True
    except OSError:
        return False
print('kernel', [p for p in ('/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/etc/passwd', {ours!r}) if writable(p)])
"""


@walled
def test_no_way_leads_to_the_vault_or_the_run(vault, tmp_path, monkeypatch):
    run = tmp_path / "runs"
    run.mkdir()
    (run / "run.db").write_text(SECRET)
    monkeypatch.setenv("PLANTED", "x")
    source = SEEK.format(
        vault=str(vault), run=str(run), pid=os.getpid(), secret=SECRET[:10], ours=str(Path(isolation.__file__))
    ).replace(SECRET[:10], "' + 'the-' + 'label-")
    with open(vault / "labels", "rb") as held:  # the engine has it open, and in its memory
        assert held.read() == SECRET.encode()
        seen = answer(source, hidden=(run,), seconds=100.0)
    assert "LEAK" not in seen
    assert [line.split()[0] for line in seen.splitlines()] == [
        *("file", "list", "run", "root", "engine", "all", "umount", "unshare", "bwrap", "nsenter", "moved", "disks", "kernel")
    ]
    assert "disks []\nkernel []\n" in seen
    assert (vault / "labels").read_text() == SECRET


def test_the_same_search_finds_the_secret_where_no_wall_stands(vault, tmp_path, monkeypatch):
    monkeypatch.setattr(isolation, "works", lambda: False)
    assert answer(f"print(open({str(vault / 'labels')!r}).read())") == f"{SECRET}\n"
    (sentence,) = models.dangers(["openai:x", "command:agent -p"])
    assert sentence.startswith(
        "command:agent -p: this program can read the vault and the run, labels and exact scores included"
    )
