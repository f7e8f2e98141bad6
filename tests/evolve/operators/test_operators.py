"""The contract of every operator in the table: what it declares, that it repeats, and that no reply is lost or let through."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from evolve import models, operators, testing
from evolve.nouns import Brief, Draft, Model, Reply, Tools
from evolve.screening.worker import WorkerProcess
from tests.support.model_server import ModelServer

TALKING = [name for name in operators.TABLE if operators.load(name).needs_model]


@pytest.fixture(scope="module")
def syntax() -> Iterator[WorkerProcess]:
    with WorkerProcess() as worker:
        yield worker


@contextmanager
def answers() -> Iterator[Model]:
    """Open a model that says the same from its beginning."""
    with ModelServer(seed=4) as server:
        yield models.load("openai:tiny", server.url, rng=random.Random(0))


@pytest.mark.parametrize("name", operators.TABLE)
def test_an_operator_keeps_its_contract(name: str, syntax: WorkerProcess) -> None:
    assert operators.load(name).name == name
    testing.check_declaration(operators.load(name))
    testing.check_drafts(operators.load(name), syntax, answers)


@pytest.mark.parametrize("reply", testing.HOSTILE)
@pytest.mark.parametrize("name", TALKING)
def test_a_hostile_reply_is_a_problem_or_is_left_to_the_screen_and_its_cost_is_kept(
    name: str, reply: str, syntax: WorkerProcess
) -> None:
    testing.check_reply(operators.load(name), syntax, testing.HOSTILE[reply])


@pytest.mark.parametrize("name", TALKING)
def test_a_model_is_asked_with_the_system_text_as_it_is(name: str, syntax: WorkerProcess) -> None:
    asked = []

    class Listener(testing.HostileModel):
        def ask(self, system: str, prompt: str) -> Reply:
            asked.append((system, prompt))
            return super().ask(system, prompt)

    operator = operators.load(name)
    brief = testing.brief_for(operator, syntax)
    operator.propose(
        brief, Tools(syntax, Listener("no"), "the rules", experiments=testing.KnownExperiments(syntax)), random.Random(0)
    )
    assert {system for system, _ in asked} == {"the rules"}
    assert all(prompt.startswith("# Direction\n") for _, prompt in asked)


def test_the_contract_of_an_operator_names_what_does_not_hold(syntax: WorkerProcess) -> None:
    class Careless:
        name, needs_model, parents, subject = "careless", True, 1, "parents"

        def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
            return Draft("import os\n", "draw", reply="x")

    with pytest.raises(AssertionError, match="careless counts what 0 calls cost"):
        testing.check_reply(Careless(), syntax, "x")
    Careless.needs_model = False
    with pytest.raises(AssertionError, match="a child of careless passes the screen: "):
        testing.check_operator(Careless())
    Careless.parents = 3
    with pytest.raises(AssertionError, match=r"careless\.parents is 1 or 2, not 3"):
        testing.check_operator(Careless())
