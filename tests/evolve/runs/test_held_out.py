"""How many instances the held-out domains of a run have, and when they are built."""

from __future__ import annotations

import json

import pytest

from evolve.cli import run
from evolve.config import Config
from evolve.runs.checks import resolve
from evolve.search.context import held_out
from fitness.pgr import FEWEST
from fitness.tasks import load

TASK = load("embedded")


def test_each_held_out_domain_has_as_many_instances_as_an_interval_needs_and_they_are_built_last() -> None:
    setup = resolve(Config())
    assert held_out(TASK, setup.config) == [(domain, FEWEST) for domain in TASK.held_out_domains]
    held = [name.domain in TASK.held_out_domains for name in setup.instances]
    assert held == sorted(held)
    assert sum(held) == FEWEST * len(TASK.held_out_domains)


def test_the_number_is_stored_so_a_run_keeps_its_own_whatever_the_default_becomes(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = resolve(Config()).config.model_dump_json()
    monkeypatch.setattr("evolve.search.context.FEWEST", 9)
    assert resolve(Config.model_validate_json(stored)).config.held_out_instances == FEWEST * len(TASK.held_out_domains)
    earlier = Config.model_validate_json('{"held_out_instances": 5}')
    assert [n for _, n in held_out(TASK, resolve(earlier).config)] == [2, 2, 1]
    assert held_out(TASK, resolve(Config(held_out_instances=0)).config) == [(domain, 0) for domain in TASK.held_out_domains]


def test_a_dry_run_says_how_many_there_are_and_what_they_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["start", "--dry-run", "--device", "cpu"]) == 0
    assert "held out: math 4, code 4, digits 4 instances, built last" in capsys.readouterr().out
    assert run(["start", "--dry-run", "--device", "cpu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["held_out"] == {"math": 4, "code": 4, "digits": 4}
    assert run(["start", "--dry-run", "--device", "cpu", "--set", "held_out_instances=0"]) == 0
    assert "held out" not in capsys.readouterr().out
