"""The human baselines: each cites its source, is written in the grammar, and runs on every shape a task may have."""

import ast
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from evolve.operators.offline import script as scripts
from evolve.operators.offline.numbers import named
from evolve.operators.offline.script import Script
from fitness.tasks.directions import DIRECTIONS
from fitness.tasks.embedded.grammar import GRAMMAR

FOLDER = Path(__file__).parents[2] / "seeds"
PATHS = {path.stem: path for path in sorted([*FOLDER.glob("*.py"), *FOLDER.glob("*/*.py")])}
SEEDS = list(PATHS)
PAIRED = ("ccs", "consistency")
ORDER = GRAMMAR.order
NAMED = (
    "vanilla vanilla_soft confident auxconf selftrain coteaching noisychannel gce knn zeroshot earlystop lda".split()  # noqa: SIM905
    + list(PAIRED)
)


def parse(source: str) -> Script:
    return scripts.parse(source, GRAMMAR)


class Linear:
    """A student small enough for a test: a linear head with the contract's signature."""

    def fit(
        self, x: Any, targets: Any, weights: Any = None, *, epochs: int = 8, lr: float = 3e-3, loss: Any = None, **_: Any
    ) -> Any:
        w = torch.zeros(x.shape[1], targets.shape[1], requires_grad=True)
        optimizer = torch.optim.AdamW([w], lr=0.05)
        for step in range(30):
            logits = x @ w
            each = -(targets * logits.log_softmax(1)).sum(1)
            value = (
                (each if weights is None else weights * each).mean() if loss is None else loss(logits, targets, weights, step)
            )
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        return lambda rows: (rows @ w).detach().softmax(1)


def problem(seed: int = 0, classes: int = 2, n: int = 400) -> Any:
    """Return a problem with `classes` well-separated clusters whose teacher is right four times in five."""
    generator = torch.Generator().manual_seed(seed)
    centres = 3 * torch.eye(20)[:classes]
    y = torch.arange(2 * n) % classes
    x = centres[y] + torch.cat([torch.full((5,), 0.5), torch.full((15,), 0.1)]) * torch.randn(2 * n, 20, generator=generator)
    said = torch.where(torch.rand(n, generator=generator) < 0.8, y[:n], (y[:n] + 1) % classes)
    sure = 0.55 + 0.4 * torch.rand(n, 1, generator=generator)
    weak = torch.where(torch.nn.functional.one_hot(said, classes).bool(), sure, (1 - sure) / (classes - 1))
    return SimpleNamespace(
        train_x=x[:n], test_x=x[n:], weak=weak, pairs=None, seed=7, device=torch.device("cpu"), n_classes=classes,
        student=Linear(), y=y[n:],
    )  # fmt: skip


def deceptive(seed: int = 0, n: int = 400, pairs: int = 60) -> Any:
    """Return a problem whose plainest feature is what the teacher follows, and not the truth; pairs give the truth away."""
    generator = torch.Generator().manual_seed(seed)
    y, salient = torch.randint(0, 2, (2, 2 * n), generator=generator)
    y[1 : 2 * pairs : 2] = 1 - y[: 2 * pairs : 2]
    x = 0.3 * torch.randn(2 * n, 20, generator=generator)
    x[:, 0] += 3 * (2 * salient - 1)
    x[:, 1] += 2 * (2 * y - 1)
    heard = torch.where(torch.rand(n, generator=generator) < 0.75, salient[:n], y[:n])
    weak = 0.3 + 0.4 * torch.nn.functional.one_hot(heard, 2)
    return SimpleNamespace(
        train_x=x[:n], test_x=x[n:], weak=weak, pairs=torch.arange(2 * pairs).reshape(pairs, 2), seed=7,
        device=torch.device("cpu"), n_classes=2, student=Linear(), y=y[n:],
    )  # fmt: skip


def accuracy(name: str, given: Any) -> float:
    """Return the share of a seed's answers that are true."""
    return float((run(name, given).argmax(1) == given.y).float().mean())


def run(name: str, given: Any) -> torch.Tensor:
    """Run a seed."""
    namespace: dict[str, Any] = {}
    exec(compile(PATHS[name].read_text(), name, "exec"), namespace)
    result: torch.Tensor = namespace["method"](given)
    return result


def test_the_baselines_of_the_field_are_there() -> None:
    assert set(NAMED) <= set(SEEDS)


@pytest.mark.parametrize("name", SEEDS)
def test_each_seed_cites_a_source_with_its_year(name: str) -> None:
    docstring = ast.get_docstring(ast.parse(PATHS[name].read_text()))
    assert docstring is not None
    assert re.search(r"\"[^\"]+\"\s.*?\((19|20)\d\d\)", docstring, re.DOTALL)


@pytest.mark.parametrize("name", SEEDS)
def test_each_seed_is_in_the_grammar_and_comes_back_as_it_was(name: str) -> None:
    source = PATHS[name].read_text()
    script = parse(source)
    assert script.grammatical
    assert script.render(script.docstring) == source


@pytest.mark.parametrize("name", SEEDS)
def test_each_step_says_what_it_does_and_has_numbers_to_change(name: str) -> None:
    script = parse(PATHS[name].read_text())
    assert named(script)
    for kind in script.steps:
        node = ast.parse(script.definitions[kind].code).body[0]
        assert isinstance(node, ast.FunctionDef)
        assert ast.get_docstring(node)


def test_every_kind_of_step_occurs_in_some_seed() -> None:
    assert {kind for name in SEEDS for kind in parse(PATHS[name].read_text()).steps} == set(ORDER)


@pytest.mark.parametrize("name", SEEDS)
def test_each_seed_returns_the_same_probabilities_twice(name: str) -> None:
    first, again = run(name, problem()), run(name, problem())
    assert first.shape == (400, 2)
    assert torch.isfinite(first).all()
    assert first.min() >= -1e-5
    assert first.max() <= 1 + 1e-5
    assert torch.equal(first, again)


@pytest.mark.parametrize("name", SEEDS)
def test_each_seed_beats_the_teacher_where_the_truth_is_plain(name: str) -> None:
    given = problem()
    assert (run(name, given).argmax(1) == given.y).float().mean() > 0.9


@pytest.mark.parametrize("name", sorted(set(SEEDS) - {"zeroshot"}))  # one direction cannot tell three classes apart
def test_each_seed_takes_more_than_two_classes(name: str) -> None:
    given = problem(classes=3)
    predicted = run(name, given)
    assert predicted.shape == (400, 3)
    assert (predicted.argmax(1) == given.y).float().mean() > 0.6


@pytest.mark.parametrize("name", SEEDS)
def test_each_seed_predicts_a_row_the_same_whatever_is_around_it(name: str) -> None:
    given, part = problem(), problem()
    part.test_x = given.test_x[:50].clone()
    assert torch.allclose(run(name, given)[:50], run(name, part), atol=1e-5)


@pytest.mark.parametrize("name", PAIRED)
def test_pairs_lead_to_the_truth_where_labels_and_representation_lead_away_from_it(name: str) -> None:
    given = deceptive()
    labels_only = deceptive()
    labels_only.pairs = None
    assert accuracy(name, given) > 0.9
    assert accuracy(name, labels_only) < 0.7
    assert max(accuracy(plain, given) for plain in ("vanilla", "lda")) < 0.7


@pytest.mark.parametrize("name", PAIRED)
def test_which_of_a_pair_comes_first_does_not_matter(name: str) -> None:
    given, turned = deceptive(), deceptive()
    turned.pairs = turned.pairs.flip(1)
    assert torch.allclose(run(name, given), run(name, turned), atol=1e-4)


@pytest.mark.parametrize("name", PAIRED)
def test_a_head_that_sees_some_of_the_rows_leaves_the_pairs_alone(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(PATHS[name].read_text(), name, "exec"), namespace)
    given, labels_only = deceptive(), deceptive()
    labels_only.pairs = None
    some = torch.arange(0, len(given.train_x), 2)
    fits = [namespace["head"](p, p.train_x[some], p.weak[some])(p.test_x) for p in (given, labels_only)]
    assert torch.equal(*fits)


@pytest.mark.parametrize("name", PAIRED)
def test_rows_that_count_for_nothing_have_no_say(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(PATHS[name].read_text(), name, "exec"), namespace)
    given = deceptive()
    counts = torch.ones(len(given.weak))
    counts[:300] = 0
    said = [given.weak.clone(), given.weak.clone()]
    said[1][:300] = said[1][:300].flip(1)
    fits = [namespace["head"](given, given.train_x, labels, counts)(given.test_x).argmax(1) for labels in said]
    assert torch.equal(*fits)


def test_directions_are_about_kinds_of_step() -> None:
    assert len({direction.name for direction in DIRECTIONS}) == len(DIRECTIONS)
    for direction in DIRECTIONS:
        assert direction.text
        assert direction.focus
        assert set(direction.focus) <= set(ORDER)
