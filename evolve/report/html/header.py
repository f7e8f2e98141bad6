"""Writes the head of the page: what the run showed, and its key figures."""

from __future__ import annotations

from evolve.queries.leaderboard import LeaderboardRow
from evolve.queries.run_report import Report
from evolve.queries.status import RunStatus
from evolve.report.html.markup import Safe, tag
from evolve.text import NONE, count, duration, estimate, interval, money, number
from fitness import pgr


def headline(report: Report) -> str:
    """Return the run's outcome in a few words."""
    verdict = report.verdict
    if verdict.shown:
        by = "" if verdict.difference is None else f" by {estimate(verdict.difference, verdict.low, verdict.high)} PGR"
        narrowly = " narrowly," if verdict.difference is not None and verdict.difference < pgr.NARROW else ""
        return f"The champion beats the human best{narrowly}{by}"
    if verdict.shown is not None:
        return "Not shown that the champion beats the human best"
    endings = {"running": "The search is running", "finished": "The search has ended without a verdict"}
    return endings.get(report.standing.state, "The search was interrupted")


def header(report: Report) -> Safe:
    """Return the outcome with its verdict, and the key figures."""
    now, shown = report.standing, report.verdict.shown
    began = now.created[:16].replace("T", " ")
    eyebrow = f"Run {now.run} · {now.task} {now.task_version} · searching on {now.domain or NONE} · {began} UTC"
    pill = Safe() if shown is None else tag("span", "shown" if shown else "not shown", class_="pill yes" if shown else "pill")
    sentence = report.verdict.sentence.removeprefix("not shown: ").removeprefix("shown: ")
    lede = tag("p", pill, sentence or _no_verdict(now), class_="lede")
    warning = tag("p", report.standing.uncontained, class_="warning") if report.standing.uncontained else Safe()
    return tag(
        "header", tag("p", eyebrow, class_="eyebrow"), tag("h1", headline(report)), warning, lede, _cards(report), id="top",
    )  # fmt: skip


def _no_verdict(now: RunStatus) -> str:
    """Return why there is no verdict."""
    if now.state == "finished":
        return "There is no champion: none of the fittest has passed on fresh instances. `resume` judges the next ones."
    if now.phase:
        left = "" if now.left is None else f"; about {duration(now.left)} left"
        return f"Now {now.phase}{left}. The verdict comes at the end, from fresh instances and held-out domains."
    return "The champion is judged on fresh instances and held-out domains at the end; until then there is no verdict."


def _cards(report: Report) -> Safe:
    now = report.standing
    cards = [
        _method("Champion" if now.champion else "Best so far", now.best, now.domain, "champion"),
        _method("Human best", now.human_best, now.domain, "human"),
    ]
    first = report.comparisons[0] if report.comparisons else None
    if first is not None and first.difference is not None:
        bound = f"at least {number(first.lower_bound, sign=True)} with 95 % confidence"
        cards.append(_card("Difference", number(first.difference, sign=True), bound))
    if now.champion and now.best and now.best.fresh_pgr is not None and now.best.pgr is not None:
        both = f"the champion's dev {number(now.best.pgr)} minus fresh {number(now.best.fresh_pgr)}"
        cards.append(_card("Inflation", number(now.best.pgr - now.best.fresh_pgr, sign=True), both))
    cost = "no model calls"
    if now.spent.calls:
        cost = "cost unknown" if now.spent.usd is None else money(now.spent.usd)
    budget = f"of {now.budget.evals:,.0f}; " if now.budget.evals else ""
    cards.append(_card("Evaluations", f"{now.evaluations:,}", f"{budget}{duration(now.seconds)}; {cost}"))
    refused = f"with the seeds; {count(now.refused, 'proposal')} refused, {now.failed:,} failed"
    cards.append(_card("Methods", f"{now.methods:,}", refused))
    return tag("ul", *cards, class_="cards", aria_label="Key figures")


def _method(what: str, row: LeaderboardRow | None, domain: str, class_: str) -> Safe:
    if row is None:
        return _card(what, NONE, "nothing judged yet", class_)
    fresh = row.fresh_pgr is not None
    dev = interval(row.pgr_low, row.pgr_high, row.instances)
    ends = interval(row.fresh_low, row.fresh_high, row.fresh_instances) if fresh else dev
    about = f"{ends} PGR on {'fresh' if fresh else 'dev'} {domain}".strip()
    return _card(f"{what}: {row.label}", number(row.fresh_pgr if fresh else row.pgr), about, class_)


def _card(what: str, figure: str, about: str, class_: str = "") -> Safe:
    shown = tag("span", figure, class_=f"figure {class_}".strip())
    return tag("li", tag("span", what, class_="what"), shown, tag("span", about, class_="what"))
