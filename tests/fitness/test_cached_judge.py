"""What human baselines scored is kept beside the vault, and used again only where nothing could have changed it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fitness.cached_judge import CachedJudge
from fitness.judge import Cancelled
from fitness.nouns import Method, Outcome, Status
from fitness.tasks import load
from fitness.tasks.secret import Secret
from fitness.vault.cache import ScoreCache
from fitness.vault.vault import Vault
from tests.fitness.test_judge import METHOD, FakeVault, Scripted, dev, failed, right

KEY = Secret(b"k" * 32)
HERE: Mapping[str, object] = {"libraries": {"torch": "2"}, "limits": {"seconds": 60.0}}
EMBEDDED = load("embedded")
TASK = replace(EMBEDDED, contract=replace(EMBEDDED.contract, probes=("determinism", "constant", "canary")))  # of real rows none
OF = {"method": "m", "trial": "t/chat/dev/0"}


def cached(
    folder: Path, sandbox: Scripted, key: Secret = KEY, here: Mapping[str, object] = HERE, stop: threading.Event | None = None
) -> CachedJudge:
    """A judge with a cache in a folder, for which METHOD is a baseline."""
    vault, store = FakeVault(), ScoreCache(folder, key, here)
    arguments = TASK, vault, sandbox, vault.load, stop or threading.Event()
    return CachedJudge(store, [METHOD.id], *arguments, lambda source, seed: {})  # type: ignore[arg-type]


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_baseline_is_run_and_probed_once_and_its_evaluation_is_the_same_to_the_last_digit(tmp_path: Path) -> None:
    first, again = Scripted(right(0.8)), Scripted(right(0.1))
    before = cached(tmp_path, first).certify(METHOD, dev(10))
    after = cached(tmp_path, again).certify(METHOD, dev(10))
    assert after == before
    assert [trial.seconds for trial in after.trials] == [trial.seconds for trial in before.trials]
    assert before.findings
    assert first.runs > 10  # its probes are runs too
    assert again.runs == 0


def test_more_instances_cost_only_the_new_ones(tmp_path: Path) -> None:
    again = Scripted(right(0.8))
    cached(tmp_path, Scripted(right(0.8))).evaluate(METHOD, dev(10))
    assert len(cached(tmp_path, again).evaluate(METHOD, dev(12)).trials) == 12
    assert again.runs == 2


@pytest.mark.parametrize("method", [Method("bred", "source", 256), replace(METHOD, source="other names, same id")])
def test_only_a_baseline_with_the_very_same_source_is_known(method: Method, tmp_path: Path) -> None:
    cached(tmp_path, Scripted(right(0.8))).evaluate(METHOD, dev(3))
    again = Scripted(right(0.6))
    assert cached(tmp_path, again).evaluate(method, dev(3)).pgr == pytest.approx(0.2)
    assert again.runs == 3


def test_what_is_bred_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    cached(tmp_path, Scripted(right(0.8))).certify(Method("bred", "source", 256), dev(10))
    assert not entries(tmp_path)


@pytest.mark.parametrize("here", [{**HERE, "libraries": {"torch": "3"}}, {**HERE, "limits": {"seconds": 5.0}}, {}])
def test_under_other_circumstances_a_baseline_is_judged_anew(here: Mapping[str, object], tmp_path: Path) -> None:
    cached(tmp_path, Scripted(right(0.8))).evaluate(METHOD, dev(3))
    again = Scripted(right(0.6))
    assert cached(tmp_path, again, here=here).evaluate(METHOD, dev(3)).pgr == pytest.approx(0.2)


@pytest.mark.parametrize("status", [Status.LOST, Status.TIMED_OUT, Status.CRASHED, Status.OUT_OF_MEMORY])
def test_what_failed_is_not_kept(status: Status, tmp_path: Path) -> None:
    assert cached(tmp_path, Scripted(failed(status))).trial(METHOD, dev(1)[0]).status is status
    assert not entries(tmp_path)
    assert cached(tmp_path, Scripted(right(0.8))).trial(METHOD, dev(1)[0]).status is Status.OK


@pytest.mark.parametrize("ours", [failed(Status.LOST), failed(Status.TIMED_OUT)])
def test_an_examination_that_our_own_failure_cut_short_is_not_kept(ours: Outcome, tmp_path: Path) -> None:
    trial = cached(tmp_path, Scripted(right(0.8))).trial(METHOD, dev(1)[0])
    cached(tmp_path, Scripted(ours)).examine(METHOD, trial)
    whole = Scripted(right(0.8))
    assert cached(tmp_path, whole).examine(METHOD, trial)
    assert whole.runs > 0


def test_an_examination_without_the_worker_is_not_kept(tmp_path: Path) -> None:
    trial = cached(tmp_path, Scripted(right(0.8))).trial(METHOD, dev(1)[0])
    vault, store = FakeVault(), ScoreCache(tmp_path, KEY, HERE)
    known = len(entries(tmp_path))
    arguments = TASK, vault, Scripted(right(0.8)), vault.load, threading.Event()
    CachedJudge(store, [METHOD.id], *arguments, lambda source, seed: None).examine(METHOD, trial)  # type: ignore[arg-type]
    assert len(entries(tmp_path)) == known


def test_an_examination_of_another_score_is_another_one(tmp_path: Path) -> None:
    """The probe of determinism compares with the recorded score."""
    trial = cached(tmp_path, Scripted(right(0.8))).trial(METHOD, dev(1)[0])
    cached(tmp_path, Scripted(right(0.8))).examine(METHOD, trial)
    assert trial.score is not None
    again = Scripted(right(0.8))
    cached(tmp_path, again).examine(METHOD, replace(trial, score=replace(trial.score, value=0.5)))
    assert again.runs > 0


def test_a_stopping_run_is_given_nothing(tmp_path: Path) -> None:
    cached(tmp_path, Scripted(right(0.8))).trial(METHOD, dev(1)[0])
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        cached(tmp_path, Scripted(right(0.8)), stop=stop).trial(METHOD, dev(1)[0])


@pytest.mark.parametrize("harm", ["cut", "one bit", "emptied", "not text", "a folder"])
def test_a_damaged_entry_is_judged_again_and_mended(harm: str, tmp_path: Path) -> None:
    cached(tmp_path, Scripted(right(0.8))).trial(METHOD, dev(1)[0])
    (path,) = entries(tmp_path)
    data = path.read_bytes()
    harmed = {
        "cut": data[:-3],
        "one bit": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
        "emptied": b"",
        "not text": b"\xff\n{}",
    }
    path.unlink()
    path.mkdir() if harm == "a folder" else path.write_bytes(harmed[harm])
    again = Scripted(right(0.8))
    assert cached(tmp_path, again).trial(METHOD, dev(1)[0]).status is Status.OK
    assert again.runs == 1
    if harm != "a folder":
        assert path.read_bytes() == data


def test_nobody_without_the_key_plants_a_score_and_no_entry_stands_for_another(tmp_path: Path) -> None:
    ours = ScoreCache(tmp_path, KEY, HERE)
    ours.put(OF, {"pgr": 0.1})
    (path,) = entries(tmp_path)
    ScoreCache(tmp_path / "theirs", Secret(b"x" * 32), HERE).put(OF, {"pgr": 1.0})
    path.write_bytes(entries(tmp_path / "theirs")[0].read_bytes())
    assert ours.get(OF) is None
    better = ScoreCache(tmp_path / "better", KEY, HERE)
    better.put({**OF, "method": "better"}, {"pgr": 0.9})
    path.write_bytes(entries(tmp_path / "better")[0].read_bytes())
    assert ours.get(OF) is None


def test_a_vaults_cache_is_its_owners_alone(tmp_path: Path) -> None:
    cache = Vault(tmp_path).cache(HERE)
    cache.put(OF, {"pgr": 0.1})
    folder = tmp_path / "vault" / "baselines"
    assert len(entries(folder)) == 1
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))} == {0}
    assert Vault(tmp_path).cache(HERE).get(OF) == {"pgr": 0.1}
    assert Vault(tmp_path / "another").cache(HERE).get(OF) is None


def test_a_disk_without_room_costs_the_entry_and_not_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    trial = cached(tmp_path / "file" / "cache", Scripted(right(0.8))).trial(METHOD, dev(1)[0])
    assert trial.status is Status.OK


_WRITER = """
import sys
from pathlib import Path
from fitness.tasks.secret import Secret
from fitness.vault.cache import ScoreCache
cache = ScoreCache(Path(sys.argv[1]), Secret(b"k" * 32), {})
for _ in range(400):
    cache.put({"method": "m"}, list(range(3000)))
"""


@pytest.mark.thorough
def test_two_processes_that_write_one_entry_never_leave_half_of_it(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path, KEY, {})
    cache.put({"method": "m"}, list(range(3000)))
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)]) for _ in range(2)]
    reads = 0
    while any(writer.poll() is None for writer in writers):
        assert cache.get({"method": "m"}) == list(range(3000))
        reads += 1
    assert reads > 10
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(entries(tmp_path)) == 1
