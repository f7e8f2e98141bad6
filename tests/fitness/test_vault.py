"""The vault: one key, instances that repeat, damage that is noticed, answers that fit the rows, and nothing left behind."""

from __future__ import annotations

import json
import multiprocessing
import resource
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fitness import tasks
from fitness.home import default_home
from fitness.nouns import Split, VaultError
from fitness.registry import digest
from fitness.tasks import Task
from fitness.tasks.embedded.task import TASK, Sizes, embedded
from fitness.vault import storage
from fitness.vault.builder import Builder, build, load
from fitness.vault.instance import Instance, InstanceName
from fitness.vault.vault import Vault
from tests.support.weak_to_strong import answers_of

TINY = embedded(Sizes(labelled=40, train=150, test=120), margin=-1.0)
CHAT, DIGITS = (InstanceName("embedded", domain, Split.DEV, 0) for domain in ("chat", "digits"))


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    made = Vault(tmp_path_factory.mktemp("home"))
    done: list[InstanceName] = []
    build(made, TINY, [CHAT, DIGITS], done.append)
    assert done == [CHAT, DIGITS]
    return made


@pytest.fixture
def instance(vault: Vault) -> Instance:
    return load(vault, TINY, CHAT)


def fingerprint(home: str) -> str:
    return Vault(Path(home)).fingerprint


def test_processes_that_open_a_new_vault_at_once_get_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert len(set(pool.map(fingerprint, [str(tmp_path)] * 6, chunksize=1))) == 1


def test_key_and_folder_are_their_owners_alone(tmp_path: Path) -> None:
    folder = Vault(tmp_path).folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    assert Vault(tmp_path).fingerprint != Vault(tmp_path / "other").fingerprint


def test_a_damaged_key_is_not_replaced_in_silence(tmp_path: Path) -> None:
    key = Vault(tmp_path).folder / "key"
    key.write_bytes(b"short")
    with pytest.raises(VaultError, match="damaged"):
        Vault(tmp_path)
    assert key.read_bytes() == b"short"


def test_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "elsewhere"))
    assert default_home() == tmp_path / "elsewhere"
    monkeypatch.delenv("EVOLVE_HOME")
    assert default_home().name == "evolve-w2s"


def test_a_home_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VaultError, match="EVOLVE_HOME"):
        Vault(tmp_path / "file")


@pytest.mark.thorough
def test_an_instance_that_was_never_built_is_a_sentence(vault: Vault) -> None:
    assert not vault.ready(TINY, "chat", Split.SEALED, 7)
    with pytest.raises(VaultError, match="embedded/chat/sealed/7 has not been built"):
        load(vault, TINY, InstanceName("embedded", "chat", Split.SEALED, 7))


def test_the_same_key_makes_the_same_file_and_another_key_another(vault: Vault, instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    shutil.copy(vault.folder / "key", tmp_path / "vault" / "key")
    twin = Vault(tmp_path)
    assert twin.fingerprint == vault.fingerprint
    build(twin, TINY, [CHAT])
    assert twin.path(TINY, CHAT).read_bytes() == instance.path.read_bytes()
    stranger = Vault(tmp_path / "stranger")
    with pytest.raises(storage.Damaged):
        storage.read(instance.path, stranger.identity(TINY, CHAT), stranger.secret(TINY, CHAT))


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "grow"])
def test_damage_is_noticed(vault: Vault, instance: Instance, tmp_path: Path, harm: str) -> None:
    sound = instance.path.read_bytes()
    middle = len(sound) // 2
    flipped = sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :]
    path = tmp_path / "one.instance"
    path.write_bytes({"flip": flipped, "cut": sound[:middle], "empty": b"", "grow": sound + b"0"}[harm])
    with pytest.raises(storage.Damaged):
        storage.read(path, vault.identity(TINY, CHAT), vault.secret(TINY, CHAT))


def test_another_instances_file_is_not_taken_for_this_one(vault: Vault, instance: Instance) -> None:
    with pytest.raises(storage.Damaged, match="another instance"):
        storage.read(instance.path, vault.identity(TINY, DIGITS), vault.secret(TINY, CHAT))


def test_a_damaged_instance_is_built_again_and_that_is_said(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    path = vault.path(TINY, DIGITS)
    sound = path.read_bytes()
    load(vault, TINY, DIGITS)
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    load(vault, TINY, DIGITS)
    assert path.read_bytes() == sound
    assert "digits/dev/0 was damaged" in capsys.readouterr().err


def test_a_damaged_instance_is_never_missing_while_it_is_built_again(vault: Vault) -> None:
    """What several threads and processes load at once is there for each of them: a run failed on this."""
    path = vault.path(TINY, DIGITS)
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    seen: list[bool] = []
    with ThreadPoolExecutor() as pool, Builder(vault, TINY) as builder:
        loading = [pool.submit(load, vault, TINY, DIGITS, lambda _: None) for _ in range(2)]
        while wait(loading, timeout=0.01).not_done:
            seen.append(vault.ready(TINY, DIGITS.domain, DIGITS.split, DIGITS.index))
            builder.wait_for(DIGITS)
    assert [one.result().name for one in loading] == [DIGITS, DIGITS]
    assert path.read_bytes() == sound
    assert all(seen)


def test_what_another_layout_left_is_not_called_damaged(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = vault.path(TINY, CHAT)
    before = now.read_bytes()
    monkeypatch.setattr(storage, "FORMAT", storage.FORMAT + 1)
    assert vault.path(TINY, CHAT) != now
    with pytest.raises(VaultError, match="has not been built yet"):
        load(vault, TINY, CHAT)
    assert now.read_bytes() == before
    assert not capsys.readouterr().err


def test_the_file_holds_no_label_of_the_training_pool(instance: Instance) -> None:
    sizes = Sizes(**TINY.options)
    shapes = {name: tuple(shape) for name, (_, shape, _) in instance.layout.arrays.items()}
    assert shapes == {
        "public/train_x": (sizes.train, 256),
        "public/weak": (sizes.train, 2),
        "public/test_x": (sizes.test, 256),
        "private/test_y": (sizes.test,),
        "private/teacher": (sizes.test, 2),
    }
    header = json.loads(instance.path.read_bytes().split(b"\n")[0])
    assert set(header["facts"]) == {"instance", "version", "format", "floor", "ceiling", "ceiling_auc"}


def test_row_order_and_seed_are_the_trials_own(vault: Vault, instance: Instance) -> None:
    first, answers = vault.problem(instance, "method-a")
    again, _ = vault.problem(instance, "method-a")
    assert np.array_equal(first["train_x"], again["train_x"])
    assert np.array_equal(first["test_x"], again["test_x"])
    assert first.seed == again.seed
    for other, _ in (vault.problem(instance, "method-b"), vault.problem(instance, "method-a", repeat=1)):
        assert not np.array_equal(first["train_x"], other["train_x"])
        assert not np.array_equal(first["test_x"], other["test_x"])
        assert first.seed != other.seed
    rows = answers.rows["n_test"]
    assert not np.array_equal(rows, np.arange(len(rows)))


def test_rows_keep_their_labels(vault: Vault, instance: Instance) -> None:
    problems = [vault.problem(instance, method) for method in ("a", "b")]
    for key in ("train_x", "test_x"):
        assert len(np.unique(problems[0][0][key], axis=0)) > 50
    weak = [
        sorted((x.tobytes(), label.tobytes()) for x, label in zip(p["train_x"], p["weak"], strict=True)) for p, _ in problems
    ]
    assert weak[0] == weak[1]
    rows = vault.arrays(instance)["test_x"]
    for problem, answers in problems:
        shown = answers.rows["n_test"]
        assert np.array_equal(problem["test_x"], rows[shown])
        assert len(set(shown)) == len(shown) < len(rows)


def test_scores_are_counted_in_the_instances_row_order(vault: Vault, instance: Instance) -> None:
    _, answers = vault.problem(instance, "method-a")
    rows, truth, teacher = answers.rows["n_test"], instance.private["test_y"], instance.private["teacher"]
    perfect = np.eye(2, dtype=np.float32)[truth][rows]
    shown = np.mean(teacher.argmax(1)[rows] == truth[rows])
    assert answers.score(perfect).value == 1
    assert answers.behaviour(perfect)["teacher_agreement"] == pytest.approx(shown)
    assert answers.behaviour(teacher[rows])["teacher_agreement"] == 1
    assert answers.score(teacher[rows]).value == pytest.approx(shown)
    assert answers.score(1 - perfect).value == 0


def test_what_answers_are_like_is_measured_without_the_truth(vault: Vault, instance: Instance) -> None:
    _, answers = vault.problem(instance, "method-a")
    rows = np.arange(len(answers.rows["n_test"]))
    unsure = np.where((rows % 4 == 0)[:, None], [0.25, 0.75], [0.9, 0.1]).astype(np.float32)
    measures, share = answers.behaviour(unsure), np.mean(rows % 4 == 0)
    assert measures["positive_rate"] == share
    assert measures["confidence"] == pytest.approx(0.9 - 0.15 * share)


def test_a_tie_is_class_zero_and_a_wrong_length_an_error() -> None:
    answers, tied = answers_of(np.array([2, 0, 1]), np.array([0, 0, 1]), np.array([1, 1, 1])), np.full((3, 2), 0.5, np.float32)
    assert answers.score(tied).value == pytest.approx(2 / 3)
    assert answers.behaviour(tied) == {"teacher_agreement": 0, "confidence": 0.5, "positive_rate": 0}
    with pytest.raises(ValueError, match="expected 3 rows"):
        answers.score(np.zeros((2, 2), np.float32))


def test_looks_are_counted_over_processes_and_by_split(tmp_path: Path) -> None:
    assert [Vault(tmp_path).log_look("judge", "m", "chat", Split.FRESH, 5) for _ in range(3)] == [1, 2, 3]
    assert Vault(tmp_path).log_look("judge", "m", "math", Split.FRESH, 5) == 1
    assert Vault(tmp_path).log_look("judge", "m", "chat", Split.SEALED, 5) == 1


@pytest.mark.thorough
def test_two_builders_at_once_build_an_instance_once(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    with Builder(vault, TINY) as one, Builder(vault, TINY) as two:
        one.start([DIGITS])
        two.start([DIGITS])
        one.wait_for(DIGITS)
        written = vault.path(TINY, DIGITS).stat().st_ino
        two.wait_for(DIGITS)
        assert two.progress().done == two.progress().total == 1
    assert vault.path(TINY, DIGITS).stat().st_ino == written


@pytest.mark.thorough
def test_a_stopped_builder_leaves_whole_files_or_none(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    wanted = [InstanceName("embedded", "chat", Split.DEV, index) for index in range(200)]
    builder = Builder(vault, TINY)
    builder.start(wanted)
    builder.wait_for(wanted[0])
    builder.stop()
    assert not builder.progress().running
    assert builder.progress().done < 200
    assert not list(vault.folder.rglob("*.part"))
    with pytest.raises(VaultError, match="not being built"):
        builder.wait_for(wanted[-1])
    load(vault, TINY, CHAT)


@pytest.mark.thorough
def test_a_disk_without_room_is_a_sentence_and_leaves_no_half_file(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))  # the builder inherits it; an instance is larger
    try:
        with pytest.raises(VaultError, match=r"could not be built: File too large"):
            build(vault, TINY, [CHAT])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert not vault.ready(TINY, "chat", Split.DEV, 0)
    assert not [path for path in vault.path(TINY, CHAT).parent.iterdir() if path.suffix != ".lock"]


def test_a_builder_that_breaks_says_so(tmp_path: Path) -> None:
    broken = replace(TASK, source="fitness.tasks.nowhere:Source")
    with pytest.raises(VaultError, match=r"could not be built: .*nowhere"):
        build(Vault(tmp_path), broken, [CHAT])


LAZY = """\
import numpy as np
from evolve import Draw, Task, answer, array

task = Task("lazy", search=["a"], public=[array("x", "n")], answer=answer("n"))


@task.draw
def draw(domain, rng):
    import torch

    return Draw({"x": np.float32([torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()])}, {}, 0, 1)


@task.score
def score(answer, private):
    return 0.0
"""


def test_a_task_that_imports_torch_in_its_draw_gets_one_that_repeats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_ADMITTED", {})
    (tmp_path / "lazy.py").write_text(LAZY)
    task, vault = tasks.load(tasks.admit(str(tmp_path / "lazy.py"))), Vault(tmp_path)
    name = InstanceName(task.name, "a", Split.DEV, 0)
    build(vault, task, [name])
    assert vault.arrays(load(vault, task, name))["x"].tolist() == [1, 1]


LOUD = """\
import sys
print("imported")
import numpy as np
from evolve import Draw, Task, answer, array

task = Task("loud", search=["a"], public=[array("x", "n")], answer=answer("n"))


@task.draw
def draw(domain, rng):
    print("drawn")
    sys.stdout.write("written\\n")
    {within}
    return Draw({{"x": np.float32([1, 2])}}, {{}}, 0, 1)


@task.score
def score(answer, private):
    return 0.0


{after}
"""


def loud(folder: Path, within: str = "pass", after: str = "") -> tuple[Vault, Task, InstanceName]:
    (folder / "loud.py").write_text(LOUD.format(within=within, after=after))
    task = tasks.load(tasks.admit(str(folder / "loud.py")))
    return Vault(folder), task, InstanceName(task.name, "a", Split.DEV, 0)


@pytest.mark.parametrize("within", ["pass", "assert not sys.stdin.read()", "print('more', file=sys.stderr)"])
def test_what_a_task_file_prints_or_reads_is_no_word_to_the_builder(
    within: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tasks, "_ADMITTED", {})
    vault, task, name = loud(tmp_path, within)
    build(vault, task, [name])
    assert vault.arrays(load(vault, task, name))["x"].tolist() == [1, 2]
    assert not capfd.readouterr().out, "on standard output stand results of ours"


@pytest.mark.parametrize(
    ("within", "said"),
    [
        ("import os; os._exit(3)", "its process ended with status 3: written"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
    ],
)
def test_a_draw_that_ends_its_process_is_said(within: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_ADMITTED", {})
    vault, task, name = loud(tmp_path, within)
    with pytest.raises(VaultError, match=said):
        build(vault, task, [name])


@pytest.mark.parametrize(
    "work", ["evolve.search(task, evals=1)", "evolve.start(task=task)", "evolve.judge('no.py', task=task)"]
)
def test_a_script_that_searches_its_own_task_is_imported_for_the_task_alone(
    work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The builder finds the task by the script's file, and begins no second search there."""
    monkeypatch.setattr(tasks, "_ADMITTED", {})
    monkeypatch.chdir(tmp_path)
    vault, task, name = loud(tmp_path)
    script = LOUD.format(within="pass", after=f"import evolve\n{work}\nraise SystemExit('it went on')\n")
    (tmp_path / "loud.py").write_text(script)
    task = replace(task, name=f"loud-{digest(tmp_path / 'loud.py')}")
    build(vault, task, [replace(name, task=task.name)])
    assert not (tmp_path / "runs").exists()
    assert not list(tmp_path.glob("*.db"))


def test_a_task_that_is_named_by_its_module_may_import_others_of_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_ADMITTED", {})
    package = tmp_path / "package_of_mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "numbers_of_mine.py").write_text("TWO = 2\n")
    text = LOUD.format(within="assert TWO == 2", after="").replace(
        "import sys\n", "import sys\nfrom .numbers_of_mine import TWO\n"
    )
    (package / "loud.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    task, vault = tasks.load(tasks.admit("package_of_mine.loud:task")), Vault(tmp_path)
    name = InstanceName(task.name, "a", Split.DEV, 0)
    build(vault, task, [name])
    assert vault.ready(task, "a", Split.DEV, 0)
