"""Prints a run's status, the leaderboard, and one method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evolve.cli.show.console import dash, facts, fit, heading, paragraph, say, source, table
from evolve.cli.show.tables import over_time, print_ablations, print_search
from evolve.cli.show.verdict import print_noted
from evolve.queries.filtering import Wanted
from evolve.text import NONE, count, duration, estimate, interval, label, made_by, money, number, one_line

if TYPE_CHECKING:
    from evolve.queries.diversity import Tally
    from evolve.queries.leaderboard import LeaderboardRow
    from evolve.queries.method import Birth, EvaluationLine, MethodDetails
    from evolve.queries.status import RunStatus
    from fitness.nouns import Finding

_WIDTH = 78  # columns of a line
_MORE = {"cost": "cost", "low": "interval", "high": "interval", "trials": "trials", "size": "size", "seconds": "seconds"}


def print_status(now: RunStatus) -> None:
    """Print where a run stands."""
    paragraph(f"{now.run}: {now.state}", "bold")
    paragraph(f"{now.task} {now.task_version}, searching on {dash(now.domain)}; sandbox level {dash(now.level)}", "dim")
    say(now.db, "dim")
    if now.uncontained:
        paragraph(now.uncontained)
    say()
    facts(_status_rows(now))
    if now.verdict:
        say()
        paragraph(now.verdict)
    if now.islands:
        say()
        rows = [[str(i.island), str(i.elites), number(i.best), label(i.name, i.method)] for i in now.islands]
        table(["island", "elites", "best fitness", "method"], rows, words=(3,), right=(0, 1, 2))
    print_search(now)
    if now.events:
        say()
        table(["last events", ""], [[event.at[11:19], event.text] for event in now.events], words=(1,))


def _status_rows(now: RunStatus) -> list[tuple[str, str]]:
    """Return the facts of a run's status, by name."""
    spent, recent = now.spent, now.recent
    rate = now.evaluations / spent.minutes if spent.minutes > 0 else 0.0
    unanswered = f"{now.unanswered} unanswered, " if now.unanswered else ""
    left = "" if now.left is None else f"; about {duration(now.left)} left"
    rows = [
        *([("now", now.phase + left)] if now.phase else []),
        ("champion" if now.champion else "best so far", _scores(now.best)),
        ("human best", _scores(now.human_best)),
        ("evaluations", _of(now.evaluations, now.budget.evals) + f"; {now.failed} failed; {rate:.0f} a minute"),
        (
            "proposals",
            f"{now.refused} refused, {unanswered}{now.in_flight} in flight; {count(now.methods, 'method')} with the seeds",
        ),
        (
            "time",
            f"{duration(now.seconds)}{_limit(now.budget.minutes, ' min')}; engine {_share(now.engine_seconds, now.seconds)}",
        ),
    ]
    if now.variants:
        tried = f"{count(now.variants, 'variant')} on {count(now.variant_trials, 'instance')}"
        rows.append(("experiments", f"{tried}, beside the evaluations"))
    if spent.calls:
        tokens = f"{spent.tokens_in:,} tokens in, {spent.tokens_out:,} out" if spent.tokens_in else "tokens unknown"
        calls = f"{spent.calls:,}{_limit(now.budget.calls, '')}, {tokens}{_limit(now.budget.tokens, '')}"
        rows.append(("model calls", f"{calls}; cost {money(spent.usd)}{_limit(now.budget.usd, ' USD')}"))
    if now.disclosed:
        rows.append(("scores shown", now.disclosed.sentence))
    if recent.entropy is not None:
        window = f"last {count(recent.proposals, 'proposal')}"
        bits = (
            f"entropy {recent.entropy:.1f} of {recent.entropy_max:.1f} bits; prompt novelty {number(recent.novelty)} ({window})"
        )
        bars = over_time(now.entropy, recent.entropy_max)
        rows += [("directions", bits), *([("", bars)] if bars else []), ("", _tallies(recent.directions, 4))]
        rows.append(("operators", _tallies(recent.operators, 6)))
    return rows


def _scores(row: LeaderboardRow | None) -> str:
    if row is None:
        return NONE
    fresh = (
        f"; fresh {estimate(row.fresh_pgr, row.fresh_low, row.fresh_high, row.fresh_instances)}"
        if row.fresh_pgr is not None
        else ""
    )
    dev = f"dev {estimate(row.pgr, row.pgr_low, row.pgr_high, row.instances)}"
    return f"{one_line(row.label, 24)}  fitness {number(row.fitness)}; {dev}{fresh}"


def _of(spent: int, budget: float | None) -> str:
    return f"{spent:,}" if budget is None else f"{spent:,} of {budget:,.0f}"


def _limit(budget: float | None, unit: str) -> str:
    return "" if budget is None else f" of {budget:,.0f}{unit}" if budget >= 1000 else f" of {budget:g}{unit}"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole > 0 else NONE


def _tallies(tallies: Sequence[Tally], limit: int) -> str:
    parts = [f"{one_line(tally.name, 24)} {tally.count}" for tally in tallies[:limit]]
    return ", ".join(parts) + (f", {len(tallies) - limit} more" if len(tallies) > limit else "")


def print_ranking(rows: Sequence[LeaderboardRow], tried: int, wanted: Wanted) -> None:
    """Print the leaderboard, and how many methods it was chosen from."""
    if not rows:
        paragraph(
            "Nothing has been judged OK in this run yet."
            if wanted == Wanted()
            else "No method that was judged OK is like that."
        )
        return
    more = "by domain" if wanted.pareto else _MORE.get(wanted.by, "inflation")
    cells = [
        [
            str(place),
            one_line(row.label, 16) + (" ⚑" if row.flags else ""),
            one_line(row.made_by, 24),
            number(row.fitness),
            number(row.pgr),
            estimate(row.fresh_pgr, row.fresh_low, row.fresh_high, row.fresh_instances),
            _column(row, more),
            f"{row.island}/{row.cell}" if row.island is not None else NONE,
        ]
        for place, row in enumerate(rows, 1)
    ]
    headers = ["", "method", "made by", "fitness", "dev PGR", "fresh PGR", more, "isl/cell"]
    table(headers, cells, words=(2, 1), right=(0, 3, 4, 6), optional=(7, 6, 2, 4))
    for row in rows:
        if row.flags:
            paragraph(f"⚑ {row.label}: kept out of the grid, flagged by {one_line(row.flags, 40)}")
    if wanted.pareto:
        paragraph(f"The front over {' / '.join(rows[0].pgrs)}: no other method is as good on all of them.", "dim")
    if wanted.domain:
        paragraph(f"PGR is the mean over instances of {wanted.domain}; fitness is over the whole search.", "dim")
    paragraph(f"Best of {count(tried, 'method')} tried, which flatters dev PGR; inflation is dev minus fresh.", "dim")


def _column(row: LeaderboardRow, name: str) -> str:
    """Return the column that changes with what a leaderboard is sorted by."""
    if name == "by domain":
        return " / ".join(number(pgr) for pgr in row.pgrs.values())
    if name == "inflation":
        return number(row.inflation, sign=True)
    if name == "cost":
        return money(row.usd) if row.usd is not None else NONE
    if name == "interval":
        return interval(row.pgr_low, row.pgr_high, row.instances)
    if name == "seconds":
        return NONE if row.seconds is None else f"{row.seconds:.1f}"
    return f"{row.trials:,}" if name == "trials" else f"{row.size:,}"


def print_dossier(method: MethodDetails, *, with_prompt: bool) -> None:
    """Print one method."""
    facts_of = (
        f"{one_line(method.origin, 10)}, {count(method.nodes, 'syntax node')}, {count(method.children, 'child', 'children')}"
    )
    heading(f"{fit(method.label, 24)}  {facts_of}")
    say(f"id {method.method}", "dim")
    if method.flags:
        paragraph(f"⚑ {method.flags}")
    say()
    _print_birth(method.birth)
    _print_findings(method.findings)
    for evaluation in method.evaluations:
        _print_evaluation(evaluation)
    print_ablations(method.ablations)
    source(method.source)
    if with_prompt and method.birth is not None:
        birth = method.birth
        for title, text in (("System prompt", birth.system), ("Prompt", birth.prompt), ("Reply", birth.reply)):
            say()
            say(title, "bold")
            say(text or f"none: {birth.operator} needs no model")


def _print_birth(birth: Birth | None) -> None:
    if birth is None:
        return
    parents = ", ".join(
        f"{label(parent.name, parent.method)} (gain {number(parent.gain, sign=True)})" for parent in birth.parents
    )
    rows = [
        ("made by", f"{made_by(birth.operator, birth.model)}, on island {birth.island}"),
        ("from", dash(parents)),
        ("direction", f"{birth.direction}: {birth.direction_text}"),
        ("idea", dash(birth.idea)),
        ("novelty", number(birth.novelty)),
    ]
    if birth.model:
        rows.append(("cost", f"{money(birth.usd)}, {birth.tokens_in:,} tokens in, {birth.tokens_out:,} out"))
    facts(rows)
    say()


def _print_findings(findings: Sequence[Finding]) -> None:
    """Print what the reward-hack probes found."""
    if findings:
        rows = [
            [f.probe, f"{f.domain} {'' if f.instance is None else f.instance}", f.verdict, number(f.number), f.sentence]
            for f in findings
        ]
        table(["probe", "on", "verdict", "value", ""], rows, words=(4, 0), right=(3,))
        say()


def _print_evaluation(evaluation: EvaluationLine) -> None:
    scores = estimate(evaluation.pgr, evaluation.pgr_low, evaluation.pgr_high, evaluation.instances)
    fitness = f", fitness {number(evaluation.fitness)}" if evaluation.fitness is not None else ""
    head = f"{evaluation.split} {evaluation.domain}: "
    paragraph(head + (f"PGR {scores}{fitness}" if evaluation.status == "OK" else evaluation.status), "bold")
    paragraph(one_line(evaluation.message, 2 * _WIDTH), margin="  ")
    paragraph(", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in evaluation.measures.items()), margin="  ")
    rows = [
        [
            trial.domain if "+" in evaluation.domain else "",
            str(trial.instance),
            trial.status,
            number(trial.pgr),
            *(NONE if acc is None else f"{acc:.3f}" for acc in (trial.transfer_acc, trial.weak_acc, trial.strong_acc)),
            f"{trial.seconds:.2f}",
        ]
        for trial in evaluation.trials
    ]
    if rows:
        headers = ["", "instance", "status", "PGR", "value", "floor", "ceiling", "seconds"]
        table(headers, rows, words=(2, 0), right=(1, 3, 4, 5, 6, 7), optional=(7, 5, 6))
    print_noted(evaluation.noted)
    say()
