"""Fine-tuning on a tiny model: the scale, whose weights change, parts of a batch, and what the student takes for texts."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitness.sandbox.inside.recipe import PROJECTIONS, LoraRecipe
from tests.support import tiny_lm

tiny_lm.needs_transformers()

import torch  # noqa: E402  # what follows needs transformers

from fitness.sandbox.inside.finetune import FILLED, FineTuningStudent  # noqa: E402
from fitness.sandbox.inside.lora import LanguageModel  # noqa: E402
from fitness.tasks.lm import models, prompts  # noqa: E402
from fitness.tasks.lm.rows import SINGLE, load  # noqa: E402

QUICK = LoraRecipe(lr=3e-3, epochs=2)


class World:
    """A tiny model, and prompts of two lengths with their labels."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        self.loaded = models.load(str(tiny_lm.save_model(folder / "tiny")))
        domain = load(tiny_lm.save_rows(folder / "chat", np.random.default_rng(0), (10, 96, 40)))
        self.answers = prompts.answers(self.loaded.tokenizer, SINGLE)
        self.train, self.test = (self.tokens(list(part.prompts)) for part in (domain.train, domain.test))
        assert domain.train.labels is not None
        assert domain.test.labels is not None
        self.truth, self.test_truth = (torch.from_numpy(part.labels).long() for part in (domain.train, domain.test))
        self.goal = torch.nn.functional.one_hot(self.truth, 2).float()

    def tokens(self, texts: list[str]) -> list[list[int]]:
        found = prompts.sequences(self.loaded.tokenizer, texts, False, 100)
        return [some if number % 2 else [5, *some] for number, some in enumerate(found)]

    def model(self, **options: Any) -> LanguageModel:
        return LanguageModel(self.loaded.model, self.loaded.padding, self.answers, **options)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world")


@pytest.fixture
def world(kept: Path) -> World:
    return World(kept)


def test_an_adapter_learns_with_the_rank_stabilised_scale_and_the_model_stays_as_it_was(world: World) -> None:
    before = {name: value.clone() for name, value in world.loaded.model.state_dict().items()}
    model = world.model()
    bare = model.probabilities(world.test)
    adapter = model.fit(world.train, world.goal, seed=1, recipe=QUICK)
    assert model.scales() == {32 / math.sqrt(32)}
    learnt = adapter(world.test)
    assert (learnt.argmax(1) == world.test_truth).float().mean() > 0.8
    assert torch.equal(model.probabilities(world.test), bare)
    after = {name.replace(".base_layer", ""): value for name, value in world.loaded.model.state_dict().items()}
    assert all(torch.equal(after[name], value) for name, value in before.items())
    trained = {name.split(".lora_")[0].split(".")[-1] for name in after if ".lora_" in name}
    assert trained == set(PROJECTIONS)


def test_adapters_are_swapped_and_repeat_by_their_seed(world: World) -> None:
    model = world.model()
    first, second, again = (model.fit(world.train, world.goal, seed=seed, recipe=QUICK) for seed in (1, 2, 1))
    answers = first(world.test)
    assert torch.equal(again(world.test), answers)
    assert not torch.equal(second(world.test), answers)
    assert torch.equal(first(world.test), answers)


def test_an_adapter_begins_as_the_model_is(world: World) -> None:
    model = world.model()
    bare = model.probabilities(world.test)
    still = model.fit(world.train, world.goal, seed=1, recipe=LoraRecipe(lr=0.0, epochs=1))
    assert torch.allclose(still(world.test), bare, atol=1e-6)


def centred(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, step: int) -> torch.Tensor:
    """A loss that looks at the whole batch, as auxiliary confidence does."""
    threshold = logits.softmax(1)[:, 1].mean().detach()
    return -(targets * logits.log_softmax(1)).sum(1).mean() + 0.1 * ((logits.softmax(1)[:, 1] - threshold) ** 2).mean()


@pytest.mark.parametrize("loss", [None, centred])
def test_parts_of_a_batch_give_the_gradient_of_the_whole(world: World, loss: Any) -> None:
    weights = torch.linspace(0.1, 2, len(world.train))
    found = []
    for budget in (10_000, 60):
        model = World(Path(world.loaded.model.name_or_path).parent).model(budget=budget)
        adapter = model.fit(world.train, world.goal, weights, seed=1, loss=loss, recipe=LoraRecipe(lr=1e-3, epochs=1))
        found.append(adapter(world.test))
    assert torch.allclose(*found, atol=2e-3)
    assert not torch.allclose(found[0], world.model().probabilities(world.test), atol=0.02)


def test_weights_of_zero_leave_rows_out(world: World) -> None:
    model, half = world.model(), torch.arange(len(world.train)) < 48
    wrong = torch.where(half[:, None], world.goal, 1 - world.goal)
    adapter = model.fit(world.train, wrong, half.float(), seed=1, recipe=QUICK)
    assert (adapter(world.test).argmax(1) == world.test_truth).float().mean() > 0.7


class Seam:
    """A student, the features of its rows, and what it noted."""

    def __init__(self, world: World, recipe: LoraRecipe = QUICK) -> None:
        rng = torch.Generator().manual_seed(0)
        self.train_x, self.test_x = (torch.randn(len(t), 6, generator=rng) for t in (world.train, world.test))
        self.notes: dict[str, float] = {}
        rows = {"train": (self.train_x, filled(world.train)), "test": (self.test_x, filled(world.test))}
        note: Callable[[str, float], None] = self.notes.__setitem__
        self.student = FineTuningStudent(3, world.loaded.model, rows, world.answers, note, recipe)


def filled(tokens: list[list[int]]) -> torch.Tensor:
    found = torch.full((len(tokens), max(map(len, tokens))), FILLED, dtype=torch.int32)
    for row, some in enumerate(tokens):
        found[row, : len(some)] = torch.tensor(some, dtype=torch.int32)
    return found


def test_rows_of_the_problem_stand_for_their_texts_in_any_order_and_number(world: World) -> None:
    """The features are noise: what is learnt was read."""
    seam, some = Seam(world), torch.randperm(96)[:80]
    predict = seam.student.fit(seam.train_x[some], world.truth[some], epochs=8, lr=0.003)
    answers = predict(seam.test_x)
    assert (answers.argmax(1) == world.test_truth).float().mean() > 0.8
    back = torch.arange(len(world.test)).flip(0)
    assert torch.allclose(predict(seam.test_x[back]), answers[back], atol=1e-5)
    assert seam.notes == {"finetuned": 1}


def test_rows_that_a_method_made_train_the_head_and_the_notes_say_so(world: World) -> None:
    seam = Seam(world)
    predict = seam.student.fit(seam.train_x * 2, world.truth)
    assert predict(seam.test_x * 2).shape == (40, 2)
    assert seam.notes == {"heads": 1}
    half_known = torch.cat([seam.train_x[:5], seam.train_x[5:] + 1])
    seam.student.fit(half_known, world.truth, hidden=0)
    assert seam.notes == {"heads": 2}


def test_a_fine_tune_that_is_asked_of_made_up_rows_answers_by_a_head(world: World) -> None:
    seam = Seam(world, LoraRecipe(epochs=1))
    predict = seam.student.fit(seam.train_x, world.truth)
    assert seam.notes == {"finetuned": 1}
    assert predict(seam.test_x + 1).shape == (40, 2)
    assert predict(seam.test_x + 2).shape == (40, 2)
    assert seam.notes == {"finetuned": 1, "heads": 1}


def test_a_methods_own_loss_and_soft_targets_reach_the_adapter(world: World) -> None:
    seam, steps = Seam(world), list[int]()

    def loss(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, step: int) -> torch.Tensor:
        assert logits.shape == targets.shape
        assert logits.requires_grad
        steps.append(step)
        return -(targets * logits.log_softmax(1)).sum(1).mean()

    predict = seam.student.fit(seam.train_x, 0.1 + 0.8 * world.truth.float(), loss=loss)
    assert steps == list(range(6))
    assert (predict(seam.test_x).argmax(1) == world.test_truth).float().mean() > 0.8
    with pytest.raises(ValueError, match="targets have shape"):
        seam.student.fit(seam.train_x, world.truth[:5])


@pytest.mark.parametrize("name", ["vanilla", "auxconf", "confident", "selftrain"])
@pytest.mark.thorough
def test_the_human_baselines_run_on_it_as_they_are(world: World, root: Path, name: str) -> None:
    seam = Seam(world, LoraRecipe(lr=1e-3, epochs=1))
    weak = 0.2 + 0.6 * world.goal

    class problem:
        train_x, test_x, student, seed, n_classes, pairs = seam.train_x, seam.test_x, seam.student, 3, 2, None
        device, note = torch.device("cpu"), staticmethod(lambda name, number: None)

    problem.weak = weak  # type: ignore[attr-defined]
    names: dict[str, Any] = {}
    exec((root / "seeds" / f"{name}.py").read_text(), names)
    found = names["method"](problem)
    assert found.shape in ((40,), (40, 2))
    assert seam.notes.get("finetuned", 0) >= 1
