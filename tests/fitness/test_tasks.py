"""What every task in the table must offer, and what an instance of the embedded task is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from evolve.testing import check_task
from fitness.assets import corpus
from fitness.contracts.contract import Array
from fitness.nouns import EvolveError, Split, VaultError
from fitness.registry import resolve
from fitness.tasks import TASKS, Task, admits, domains, load
from fitness.tasks.embedded.task import TASK, Sizes, embedded
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw, Source
from fitness.vault import build
from fitness.vault.builder import build as build_instances
from fitness.vault.builder import load as load_instance
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault
from tests.support.weak_to_strong import drawn_of, keep

TINY = Sizes(labelled=40, train=150, test=120)
SECRET = Secret(b"s" * 32)


def source(sizes: Sizes) -> Source:
    """Return what draws instances of these sizes."""
    factory = cast(Callable[[Mapping[str, int]], Source], resolve(TASK.source))
    return factory(embedded(sizes).options)


@pytest.fixture(params=sorted(TASKS))
def task(request: pytest.FixtureRequest) -> Task:
    return load(request.param)


def test_a_task_says_what_the_engine_needs(task: Task) -> None:
    assert load(task.name) is task
    check_task(task, drawn=())
    assert task.limits.seconds >= 10
    assert len(task.measures) == 2


def test_the_contract_of_a_task_draws_instances_and_names_what_does_not_hold() -> None:
    check_task(embedded(TINY), drawn=("chat", "code_deceptive"))
    with pytest.raises(AssertionError, match="the margin is a number"):
        check_task(embedded(TINY, margin=-1.0), drawn=())


def test_the_brief_leaves_to_the_contract_what_the_contract_says(task: Task) -> None:
    for word in ("problem.", "student.fit", "method(problem)", "transfer_acc"):
        assert word not in task.brief


def test_an_unknown_task_names_the_known_ones() -> None:
    with pytest.raises(EvolveError, match=r"'nope'.*embedded"):
        load("nope")


def test_loading_every_task_imports_nothing_heavy(root: Path) -> None:
    code = (
        "import sys; from fitness.vault import builder, vault; from fitness.tasks import TASKS, load; "
        "[load(task) for task in TASKS]; "
        "sys.exit(str({'torch', 'sklearn', 'scipy', 'safetensors'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_methods_run_where_all_that_they_know_is_handed_to_them() -> None:
    extra = Array("train_tokens", "n_train longest", "int32")
    more = replace(TASK, contract=replace(TASK.contract, arrays=(*TASK.contract.arrays, extra)))
    answered = replace(TASK, contract=replace(TASK.contract, answer=replace(TASK.contract.answer, high=2.0)))
    assert admits(TASK, TASK)
    assert admits(more, TASK)
    assert not admits(TASK, more)
    assert not admits(TASK, answered)


def test_the_version_changes_with_the_settings() -> None:
    versions = {TASK.version, embedded(TINY).version, embedded(margin=0.1).version}
    assert len(versions) == 3


def test_the_brief_says_what_pairs_are_but_not_what_deceives() -> None:
    brief = TASK.brief
    assert "exactly one example of a pair is of class 1" in " ".join(brief.split())
    assert TASK.facts["code_deceptive"].endswith(f"{Sizes().pairs} pairs")
    assert TASK.facts["chat"].endswith("no pairs")
    for word in ("decepti", "spurious", "register", "last word"):
        assert word not in brief


@pytest.fixture(scope="module")
def drawn() -> dict[str, Draw]:
    tiny = source(TINY)
    return {domain: tiny.draw(domain, SECRET) for domain in domains(TASK)}


@pytest.mark.parametrize("domain", domains(TASK))
def test_an_instance_is_well_formed(drawn: dict[str, Draw], domain: str) -> None:
    one = drawn[domain]
    d = 64 if domain == "digits" else 256
    assert one.public["train_x"].shape == (TINY.train, d)
    assert one.public["test_x"].shape == (TINY.test, d)
    assert one.public["weak"].shape == (TINY.train, 2)
    assert one.private["teacher"].shape == (TINY.test, 2)
    kinds = {name: array.dtype for name, array in {**one.public, **one.private}.items()}
    assert {kinds[name] for name in ("train_x", "test_x", "weak", "teacher")} == {np.dtype(np.float32)}
    assert one.private["test_y"].sum() == TINY.test // 2
    for probabilities in (one.public["weak"], one.private["teacher"]):
        assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    if domain == "code_deceptive":
        assert one.public["pairs"].shape == (TINY.pairs, 2) == (11, 2)
        assert one.public["pairs"].dtype == np.int64
        assert len(np.unique(one.public["pairs"])) == 22
        assert one.public["pairs"].max() < TINY.train
    else:
        assert "pairs" not in one.public
    assert one.floor == np.mean(one.private["teacher"].argmax(1) == one.private["test_y"])


@pytest.mark.parametrize("domain", domains(TASK))
def test_norms_and_axes_carry_nothing(drawn: dict[str, Draw], domain: str) -> None:
    one = drawn[domain]
    rows = np.concatenate([one.public["train_x"], one.public["test_x"]])
    norms = np.linalg.norm(rows, axis=1)
    assert np.allclose(norms, norms[0], rtol=1e-4)
    shares = (rows**2).mean(0) / (rows**2).mean()
    assert shares.max() < 5  # no axis stands out after a random rotation


@pytest.mark.parametrize("domain", TASK.search_domains)
def test_an_instance_comes_only_from_its_secret(drawn: dict[str, Draw], domain: str) -> None:
    tiny = source(TINY)
    again, other = tiny.draw(domain, SECRET), tiny.draw(domain, Secret(b"o" * 32))
    one = drawn[domain]
    assert (again.floor, again.ceiling) == (one.floor, one.ceiling)
    for name, array in {**one.public, **one.private}.items():
        assert np.array_equal({**again.public, **again.private}[name], array)
    assert not np.array_equal(other.public["train_x"], again.public["train_x"])
    assert not np.array_equal(other.private["test_y"], again.private["test_y"])


def test_a_rotation_is_orthogonal() -> None:
    from fitness.tasks.embedded.drawing import rotation

    turn = rotation(32, np.random.default_rng(0))
    assert np.allclose(turn @ turn.T, np.eye(32))


class Growing:
    """A source whose ceiling rises with every draw, to see what is refused."""

    def __init__(self, drawn: Draw) -> None:
        self.drawn, self.secrets = drawn, list[Secret]()

    def draw(self, domain: str, secret: Secret) -> Draw:
        self.secrets.append(secret)
        return replace(self.drawn, floor=0.6, ceiling=0.6 + 0.06 * len(self.secrets))


def test_an_instance_with_too_little_to_recover_is_drawn_again_with_another_secret(drawn: dict[str, Draw]) -> None:
    growing = Growing(drawn["chat"])
    kept = build.draw(growing, "chat", SECRET, margin=0.2, contract=TASK.contract)
    assert kept.gap >= 0.2
    assert len(growing.secrets) == len({secret.key for secret in growing.secrets}) == 4


def test_a_refusal_gives_the_accuracies_of_the_draw_that_came_nearest(drawn: dict[str, Draw]) -> None:
    growing = Growing(drawn["chat"])
    numbers = r"^20 draws of an instance of chat .* less than 2\.00 .* floor 0\.600 .* ceiling 1\.800 .* 1\.200$"
    with pytest.raises(build.InstanceRefused, match=numbers):
        build.draw(growing, "chat", SECRET, margin=2.0, contract=TASK.contract)
    assert len(growing.secrets) == build.ATTEMPTS


class Hopeless:
    """A source whose ceilings are worse than its teachers, the first of them least so."""

    def __init__(self, options: Mapping[str, int]) -> None:
        self.draws = 0

    def draw(self, domain: str, secret: Secret) -> Draw:
        self.draws += 1
        x, y = np.zeros((4, 2), np.float32), np.zeros(4, np.uint8)
        return drawn_of(x, x, x, y, x, 0.7, 0.7 - self.draws / 100)


@pytest.mark.thorough
def test_a_task_whose_ceiling_does_not_exceed_its_teacher_is_refused_with_the_numbers(tmp_path: Path) -> None:
    task = replace(embedded(TINY), name="hopeless", source="tests.fitness.test_tasks:Hopeless")
    name = InstanceName("hopeless", "chat", Split.DEV, 0)
    sentence = (
        r"The instances of task hopeless could not be built: 20 draws of an instance of chat had ceilings less than 0\.20 "
        r"above their floors; .* floor 0\.700 \(the weak teacher\) and ceiling 0\.690 \(the .*\), a difference of -0\.010\. V"
    )
    with pytest.raises(VaultError, match=sentence):
        build_instances(Vault(tmp_path), task, [name])


def test_the_teacher_of_the_deceptive_domain_follows_the_last_word_rather_than_the_truth() -> None:
    from fitness.tasks.embedded.deceptive import replies

    sizes = Sizes(labelled=200, train=600, test=400)
    one = source(sizes).draw("code_deceptive", SECRET)
    train, test = replies(SECRET, "train", 600, 0.5, sizes.pairs), replies(SECRET, "test", 400, 0.5)
    assert np.array_equal(one.public["pairs"], train.pairs)
    assert np.array_equal(one.private["test_y"], test.y)
    assert one.floor < 0.65
    for said, drawn in ((one.public["weak"], train), (one.private["teacher"], test)):
        careful = [item.tokens[-2] in map(corpus.TOKEN.get, corpus.REGISTERS[True]) for item in drawn.items]
        assert np.mean(said.argmax(1) == careful) > 0.66


def test_the_pairs_of_a_trial_name_the_rows_that_the_instance_paired(drawn: dict[str, Draw], tmp_path: Path) -> None:
    one, task, vault = drawn["code_deceptive"], embedded(TINY), Vault(tmp_path)
    name = InstanceName(task.name, "code_deceptive", Split.DEV, 0)
    keep(vault, task, name, one)
    problem, _ = vault.problem(load_instance(vault, task, name), "m" * 64)
    assert not np.array_equal(problem["pairs"], one.public["pairs"])
    partners = {tuple(a): tuple(b) for a, b in one.public["train_x"][one.public["pairs"]].tolist()}
    assert {tuple(a): tuple(b) for a, b in problem["train_x"][problem["pairs"]].tolist()} == partners


@pytest.mark.slow
@pytest.mark.parametrize("domain", domains(TASK))
def test_full_instances_leave_a_gap_to_recover(domain: str) -> None:
    one = source(Sizes()).draw(domain, SECRET)
    assert 0.52 < one.floor < 0.78
    assert one.ceiling > (0.8 if domain == "code_deceptive" else 0.88)  # its questions are distinct, so the long ones
    assert one.ceiling - one.floor >= 0.2


@pytest.mark.slow
def test_the_deceptive_domain_misleads_the_plain_domains_methods_but_not_those_that_use_pairs(root: Path) -> None:
    import torch

    from fitness.sandbox.inside.student import Student

    one = source(Sizes()).draw("code_deceptive", SECRET)
    problem = SimpleNamespace(
        **{name: torch.from_numpy(one.public[name].copy()) for name in ("train_x", "weak", "test_x", "pairs")},
        seed=7, device=torch.device("cpu"), n_classes=2, student=Student(7, 2),
    )  # fmt: skip

    def pgr(seed: str) -> float:
        namespace: dict[str, Any] = {}
        exec(compile((root / "seeds" / f"{seed}.py").read_text(), seed, "exec"), namespace)
        return float((np.mean(namespace["method"](problem).numpy().argmax(1) == one.private["test_y"]) - one.floor) / one.gap)

    assert max(map(pgr, ("vanilla", "selftrain", "lda"))) < 0.15
    assert pgr("ccs") > 0.85
    assert pgr("consistency") > 0.3
