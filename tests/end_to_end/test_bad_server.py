"""A run against servers that do everything wrong, over both protocols: nothing is fatal or lost, every token is counted."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end.test_end_to_end import rows, start
from tests.support import tiny
from tests.support.model_server import FAULTS, Fault, ModelServer, Served

SECONDS = {"rate_limit": 0.05, "rate_limit_date": 0.05, "slow": 0.1, "drip": 0.2}
EVALS = 120  # so many that each model is asked more often than its server has faults, whatever share the bandit gives it
FAILED = {"unauthorized", "no_credit", "redirect", "leaky_error"}  # no waiting helps: the proposal gets no answer


def faults(seed: int) -> list[Fault | None]:
    """Return every fault in an order of its own, with a good answer after every second one."""
    kinds = sorted(FAULTS)
    random.Random(seed).shuffle(kinds)
    made = [Fault(kind, SECONDS.get(kind, 0.0)) for kind in kinds]
    return [entry for pair in zip(made[::2], made[1::2], strict=True) for entry in (*pair, None)]


@pytest.fixture(scope="module")
def met(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[Served]]]:
    """A run of two models, one of each protocol, and what their servers counted."""
    folder = tmp_path_factory.mktemp("met")
    with pytest.MonkeyPatch.context() as patch, ModelServer(faults(1)) as chat, ModelServer(faults(2)) as messages:
        tiny.register(patch)
        patch.setenv("EVOLVE_HOME", str(_module_home))
        patch.setenv("ANTHROPIC_API_KEY", "sk-ant-a-key-of-our-own")
        patch.setenv("ANTHROPIC_BASE_URL", messages.root)
        patch.chdir(folder)
        models = ("--model", "openai:tiny", "--model", "anthropic:claude-tiny", "--base-url", chat.url)
        assert start(*models, "--set", "offline_share=0", "--seed", "2", evals=EVALS) == 0
        served = {"openai:tiny": list(chat.served), "anthropic:claude-tiny": list(messages.served)}
    return folder / "run.db", served


def test_every_fault_was_met_and_none_was_fatal(met: tuple[Path, dict[str, list[Served]]]) -> None:
    db, served = met
    for name, records in served.items():
        assert {record.fault for record in records} >= set(FAULTS), name
    assert rows("select state from runs", str(db)) == [{"state": "finished"}]
    assert rows("select count(*) as n from proposals where state = 'done' and method is not null", str(db))[0]["n"] == EVALS


def test_every_proposal_is_accounted_for(met: tuple[Path, dict[str, list[Served]]]) -> None:
    db, served = met
    proposals = rows("select id, state, reason, model from proposals order by id", str(db))
    assert [proposal["id"] for proposal in proposals] == list(range(1, len(proposals) + 1))
    assert {proposal["state"] for proposal in proposals} <= {"done", "refused", "unanswered"}
    assert all(proposal["reason"] for proposal in proposals if proposal["state"] != "done")
    for name, records in served.items():
        hopeless = sum(record.fault in FAILED for record in records)
        unanswered = [p for p in proposals if p["state"] == "unanswered" and p["model"] == name]
        assert len(unanswered) >= hopeless >= len(FAILED)
    shown = rows("select status, count from failures where status = 'UNANSWERED'", str(db))
    assert sum(row["count"] for row in shown) == sum(proposal["state"] == "unanswered" for proposal in proposals)


def test_the_archive_counts_what_the_servers_counted_to_the_token(met: tuple[Path, dict[str, list[Served]]]) -> None:
    db, served = met
    spent = {row["model"]: row for row in rows("select * from costs", str(db))}
    for name, records in served.items():
        for column in ("tokens_in", "tokens_out", "cached", "reasoning"):
            assert spent[name][column] == sum(getattr(record, column) for record in records), (name, column)
    arms = Counter[str]()
    for row in rows("select model, tokens from arms", str(db)):
        arms[row["model"]] += row["tokens"]
    for name, row in spent.items():
        assert arms[name] == row["tokens_in"] + row["tokens_out"]


def test_no_key_is_in_the_archive(met: tuple[Path, dict[str, list[Served]]]) -> None:
    assert b"a-key-of-our-own" not in met[0].read_bytes()
