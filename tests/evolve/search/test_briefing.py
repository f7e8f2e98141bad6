"""What a prompt tells of methods: true, told apart, the same after a resume, and read only for who asks a model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve import operators
from evolve.prompting import prompts
from evolve.prompting.disclosure import DisclosureKind
from evolve.search.feedback import AGAIN
from fitness.nouns import Status
from tests.support.known import DOMAINS, MESSAGE, REFUSAL, Known, asked, choice, searched, started

TALKING = [name for name in operators.TABLE if operators.load(name).needs_model]
KINDS: list[DisclosureKind] = ["card", "ladder", "full"]
PGR = re.compile(r"PGR (?:about )?(-?\d+\.\d+)")
NAMED = re.compile(r"^(?:## (?:Parent|Method) \d+: |- (?=\w+ \| A method)|(?=\w+\n\n- ))(\w+)|idea of (\w+)", re.MULTILINE)
OWN = re.compile(r"domain (\d): PGR (-?\d+\.\d+)")
RAISED = re.compile(r"PGR about (-?\d+\.\d+) in domain (\d), the best of its time")
UNRAISED = re.compile(r"better in domain (\d) than the best before it, which had PGR about (-?\d+\.\d+); it may be far worse")


@pytest.fixture
def made(tmp_path: Path) -> Known:
    return searched(tmp_path / "run.db")


def told(known: Known, kind: DisclosureKind, operator: str) -> list[str]:
    """Return the prompts of an operator, one for each method that may be a parent."""
    _, briefing = known.briefing(kind)
    able = [
        name for name in known.truth if known.archive.rows("select 1 from evaluations where method = ? and fitness", [name])
    ]
    made = []
    for number, parent in enumerate(able):
        second = [able[number - 1]] if operators.load(operator).parents > 1 else []
        chosen = choice(parent, *second, operator=operator, inspirations=("plain", "sure", "linear"))
        made.append(asked(briefing.brief(1000 + number, chosen), operator))
    return made


@pytest.mark.parametrize("operator", TALKING)
@pytest.mark.parametrize("kind", KINDS)
def test_no_sentence_of_any_prompt_states_another_pgr_than_the_methods_own(
    made: Known, kind: DisclosureKind, operator: str
) -> None:
    """The misreading was of "no better than ..., PGR about 0.90" beside methods whose PGR was -.04."""
    near, checked = {"card": 0.026, "ladder": 0.051, "full": 0.006}[kind], 0
    for text in told(made, kind, operator):
        lines, name = text.split("\n"), ""
        for place, line in enumerate(lines):
            following = "\n".join(lines[place : place + 3])
            if found := NAMED.match(following) or NAMED.search(line):
                name = found[1] or found[2]
            stated = [(int(domain), float(number)) for domain, number in OWN.findall(line)]
            stated += [(int(domain), float(number)) for number, domain in RAISED.findall(line)]
            for domain, number in stated:
                assert abs(made.truth[name][domain - 1] - number) <= near, (name, line)
            assert len(stated) + len(UNRAISED.findall(line)) == len(PGR.findall(line)), f"a PGR of nobody: {line}"
            checked += len(stated)
    assert checked > 10


def test_the_domains_of_a_prompt_are_numbered_and_never_named(made: Known) -> None:
    for text in told(made, "card", "rewrite"):
        assert not re.search(rf"domain (?:{'|'.join(DOMAINS)})\b", text)


def test_a_refusal_a_crash_a_zero_a_race_lost_a_near_miss_and_a_place_read_differently(tmp_path: Path) -> None:
    made = started(tmp_path / "run.db")
    made.seed("linear", 0.5, 0.5)
    made.child("holder", "linear", 0.6, 0.6, placed=True)
    made.refused("linear", "idea of refused")
    made.child("crash", "linear", status=Status.CRASHED)
    made.child("zero", "linear", 0.0, 0.0)
    made.child("raced", "linear", 0.2, 0.2, instances=2)
    made.child("near", "linear", 0.55, 0.55)
    _, briefing = made.briefing()
    rows = {row.idea.removeprefix("idea of "): row.outcome for row in briefing.brief(99, choice("linear")).tried}
    rows |= {row.idea.removeprefix("idea of "): row.outcome for row in _rows(made, "linear")}
    assert rows["refused"] == f"refused before it ran: {REFUSAL}"
    assert rows["crash"] == f"failed when it ran: CRASHED: {MESSAGE}"
    assert rows["zero"].startswith("domain 1: PGR 0.00 (0.50 worse), domain 2: PGR 0.00 (0.50 worse); not placed: 0.60 below")
    assert rows["raced"].endswith("; stopped by the race after 4 of 12 instances"), "no exact gap leaves with the sentence"
    assert "not placed: 0.05 below what holds its cell, at teacher agreement 0.55, size 8.00" in rows["near"]
    assert rows["holder"] == "domain 1: PGR 0.60 (0.10 better), domain 2: PGR 0.60 (0.10 better); placed"


def _rows(made: Known, parent: str) -> list[prompts.Tried]:
    """Return every row of a table, also those that a prompt has no room for."""
    told, briefing = made.briefing()
    return [briefing._tried(event, near) for event, near in told.feedback.tried(choice(parent))]


def test_on_a_ladder_a_row_says_what_the_ladder_says_and_no_gap(made: Known) -> None:
    _, briefing = made.briefing("ladder")
    outcomes = [row.outcome for row in briefing.brief(99, choice("linear")).tried]
    assert not any("below what holds its cell" in outcome for outcome in outcomes)
    assert any("not shown to be better" in outcome or "the best of its time" in outcome for outcome in outcomes)


def test_a_prediction_stands_beside_what_came_of_it_in_rows_and_on_parents(tmp_path: Path) -> None:
    made = started(tmp_path / "run.db")
    made.seed("linear", 0.5, 0.5)
    made.child("first", "linear", 0.7, 0.5, prediction="domain 1 rises by 0.20", placed=True)
    made.child("second", "first", 0.6, 0.5, prediction="domain 2 rises by 0.30")
    _, briefing = made.briefing()
    text = prompts.request(briefing.brief(99, choice("first")), "rewrite")
    assert "- before it was judged, this was predicted: `domain 1 rises by 0.20`\n- domain 1: PGR 0.70" in text
    (row,) = [line for line in text.split("\n") if "idea of second" in line]
    assert row.endswith("| predicted: domain 2 rises by 0.30")
    assert "domain 2: PGR 0.50 (same)" in row


def test_near_relatives_come_first_and_then_what_tells_most(made: Known) -> None:
    told, _ = made.briefing()
    best = told.state.best
    found = list(told.feedback.tried(choice(best)))
    nearness = [near for _, near in found]
    assert nearness == sorted(nearness, reverse=True)
    assert len(found) == 20
    assert len({event.number for event, _ in found}) == 20
    assert best not in {event.reward.method for event, _ in found}, "what is shown in full is no row"


def test_the_record_is_told_with_its_card_also_when_it_is_no_parent(made: Known) -> None:
    told, briefing = made.briefing()
    best = told.state.best
    apart = prompts.request(briefing.brief(99, choice("plain")), "rewrite")
    assert re.search(rf"# The record\n\n[^\n]+\n\n{best}\n\n(- before [^\n]+\n)?- domain 1: PGR", apart)
    assert f"A method called {best}" in apart, "its file is shown where there is room"
    as_parent = prompts.request(briefing.brief(99, choice(best)), "rewrite")
    assert f"## Parent 1: {best}, the best method so far" in as_parent
    assert "# The record" not in as_parent


def test_a_resumed_session_writes_the_same_prompts(made: Known) -> None:
    first, second = (made.briefing()[1] for _ in range(2))
    for parent in ("linear", "plain"):
        chosen = choice(parent, inspirations=("sure",))
        assert first.brief(99, chosen) == second.brief(99, chosen)
        assert asked(first.brief(99, chosen), "explain") == asked(second.brief(99, chosen), "explain")


def test_a_baseline_is_shown_in_full_to_an_island_once_in_ten_prompts(tmp_path: Path) -> None:
    made = started(tmp_path / "run.db")
    made.seed("other", 0.5, 0.5)
    made.child("child", "other", 0.5, 0.5, agreement=0.9, placed=True)
    told, briefing = made.briefing()
    chosen, whole = choice("child", inspirations=("other",)), []
    told.feedback._shown.clear()
    for number in range(100, 100 + 2 * AGAIN):
        (shown,) = briefing.brief(number, chosen).inspirations
        whole.append(shown.whole)
        told.asked(number, chosen)
        assert briefing.brief(number, chosen).inspirations == (shown,), "a prompt that is asked again is the same"
    assert [place for place, one in enumerate(whole) if one] == [0, AGAIN + 1]


def test_who_asks_no_model_is_shown_no_score_and_costs_no_card(made: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    _, briefing = made.briefing()
    reads = []
    monkeypatch.setattr(Archive, "trials", lambda *_: reads.append(1) or [])
    brief = briefing.brief(99, choice("linear", model="", operator="graft", inspirations=("sure",)))
    assert not reads
    assert not brief.methods or not any(one.card or one.line for one in (*brief.parents, *brief.inspirations))
    assert (brief.tried, brief.record, brief.deleted) == ((), None, ())
    assert [one.method.id for one in (*brief.parents, *brief.inspirations)] == ["linear", "sure"]


def test_the_cost_of_a_brief_does_not_grow_with_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for children in (60, 240):
        made = searched(tmp_path / f"{children}.db", children)
        _, briefing = made.briefing()
        briefing.brief(999, choice("plain"))
        reads = []
        whole = Archive.rows
        with monkeypatch.context() as patch:
            patch.setattr(Archive, "rows", lambda *given, whole=whole, reads=reads: reads.append(given[1]) or whole(*given))
            briefing.brief(1000, choice("sure"))
        assert not any("from proposals" in sql for sql in reads), "the table is kept, not looked up"
        counts.append(len(reads))
    assert counts[1] <= counts[0] + 20
