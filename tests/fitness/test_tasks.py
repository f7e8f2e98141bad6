"""What every task in the table must offer, and what an instance of the embedded task is."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from fitness.nouns import EvolveError
from fitness.tasks import TASKS, Task, build, domains, load, resolve
from fitness.tasks.drawn import Drawn
from fitness.tasks.embedded import Embedded, Sizes
from fitness.tasks.secret import Secret

TINY = Sizes(labelled=40, train=150, test=120)
SECRET = Secret(b"s" * 32)


@pytest.fixture(params=sorted(TASKS))
def task(request: pytest.FixtureRequest) -> Task:
    return load(request.param)


def test_a_task_says_what_the_engine_needs(task: Task) -> None:
    assert load(task.name) is task
    assert task.search_domains
    assert len(set(domains(task))) == len(domains(task))
    assert 0 < task.margin < 1
    assert task.limits.seconds >= 10
    assert callable(resolve(task.source))
    names = [measure.name for measure in task.measures]
    assert len(names) == 2
    assert len(set(names)) == 2
    assert all(measure.low < measure.high and measure.bins > 1 for measure in task.measures)


def test_the_brief_explains_the_contract(task: Task) -> None:
    for word in ("train_x", "weak", "test_x", "pairs", "seed", "device", "n_classes", "student.fit", "PGR", "method(problem)"):
        assert word in task.brief


def test_an_unknown_task_names_the_known_ones() -> None:
    with pytest.raises(EvolveError, match=r"'nope'.*embedded"):
        load("nope")


def test_loading_every_task_imports_nothing_heavy(root: Path) -> None:
    code = (
        "import sys; from fitness import builder, vault; from fitness.tasks import TASKS, load; [load(t) for t in TASKS]; "
        "sys.exit(str({'torch', 'sklearn', 'scipy', 'safetensors'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_the_version_changes_with_the_settings() -> None:
    versions = {Embedded().version, Embedded(sizes=TINY).version, Embedded(margin=0.1).version}
    assert len(versions) == 3


@pytest.fixture(scope="module")
def drawn() -> dict[str, Drawn]:
    source = resolve(Embedded().source)(Embedded(sizes=TINY).options)
    return {domain: source.draw(domain, SECRET) for domain in domains(Embedded())}


@pytest.mark.parametrize("domain", domains(Embedded()))
def test_an_instance_is_well_formed(drawn: dict[str, Drawn], domain: str) -> None:
    one = drawn[domain]
    d = 64 if domain == "digits" else 256
    assert one.train_x.shape == (TINY.train, d)
    assert one.test_x.shape == (TINY.test, d)
    assert one.weak.shape == (TINY.train, 2)
    assert one.teacher.shape == (TINY.test, 2)
    assert {one.train_x.dtype, one.test_x.dtype, one.weak.dtype, one.teacher.dtype} == {np.dtype(np.float32)}
    assert one.test_y.sum() == TINY.test // 2
    for probabilities in (one.weak, one.teacher):
        assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    assert one.weak_acc == np.mean(one.teacher.argmax(1) == one.test_y)


@pytest.mark.parametrize("domain", domains(Embedded()))
def test_norms_and_axes_carry_nothing(drawn: dict[str, Drawn], domain: str) -> None:
    one = drawn[domain]
    rows = np.concatenate([one.train_x, one.test_x])
    norms = np.linalg.norm(rows, axis=1)
    assert np.allclose(norms, norms[0], rtol=1e-4)
    shares = (rows**2).mean(0) / (rows**2).mean()
    assert shares.max() < 5  # no axis stands out after a random rotation


def test_an_instance_comes_only_from_its_secret(drawn: dict[str, Drawn]) -> None:
    source = resolve(Embedded().source)(Embedded(sizes=TINY).options)
    again, other = source.draw("chat", SECRET), source.draw("chat", Secret(b"o" * 32))
    for field in fields(Drawn):
        assert np.array_equal(getattr(again, field.name), getattr(drawn["chat"], field.name))
    assert not np.array_equal(other.train_x, again.train_x)
    assert not np.array_equal(other.test_y, again.test_y)


def test_a_rotation_is_orthogonal() -> None:
    from fitness.tasks.drawing import rotation

    turn = rotation(32, np.random.default_rng(0))
    assert np.allclose(turn @ turn.T, np.eye(32))


class Growing:
    """A source whose ceiling rises with every draw, to see what is refused."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn, self.secrets = drawn, list[Secret]()

    def draw(self, domain: str, secret: Secret) -> Drawn:
        self.secrets.append(secret)
        values = {field.name: getattr(self.drawn, field.name) for field in fields(Drawn)}
        return Drawn(**{**values, "weak_acc": 0.6, "strong_acc": 0.6 + 0.06 * len(self.secrets)})


def test_an_instance_with_too_little_to_recover_is_drawn_again_with_another_secret(drawn: dict[str, Drawn]) -> None:
    source = Growing(drawn["chat"])
    kept = build.draw(source, "chat", SECRET, margin=0.2)
    assert kept.strong_acc - kept.weak_acc >= 0.2
    assert len(source.secrets) == len({secret.key for secret in source.secrets}) == 4
    with pytest.raises(build.Refused, match="chat"):
        build.draw(Growing(drawn["chat"]), "chat", SECRET, margin=2.0)


@pytest.mark.slow
@pytest.mark.parametrize("domain", domains(Embedded()))
def test_full_instances_leave_a_gap_to_recover(domain: str) -> None:
    source = resolve(Embedded().source)(Embedded().options)
    one = source.draw(domain, SECRET)
    assert 0.52 < one.weak_acc < 0.78
    assert one.strong_acc > 0.88
    assert one.strong_acc - one.weak_acc >= 0.2
