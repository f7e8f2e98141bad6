"""Writes the page of one method: how it came about, what it scored instance by instance, its diff and its source."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from evolve.queries.changes import SourceChange
from evolve.queries.method import Birth, EvaluationLine, MethodDetails
from evolve.report.html.axes import Scale, picture, rule, words_at
from evolve.report.html.findings import diff_block
from evolve.report.html.markup import Safe, coloured, join, tag
from evolve.report.html.parts import Column, anchor, code, fold, guess, link, table
from evolve.text import clean, count, label, made_by, money, number, one_line
from fitness.nouns import Finding

_MOST_EVALUATIONS = 12


def method_page(facts: MethodDetails, step: SourceChange | None, longest: int) -> Safe:
    """Return a method's page.

    Args:
        step: what it changed against its first parent.
        longest: characters of a prompt or a reply; a source may be three times as long.
    """
    name = anchor(facts.method)
    flags = [one_line(flag, 40) for flag in facts.flags.split()]
    tags = [tag("span", word, class_="tag") for word in (one_line(facts.origin, 40), *flags)]
    flagged = tag("p", f"Flagged by {', '.join(flags)}: it stays out of the grid.", class_="warning") if flags else Safe()
    parts = [
        tag("p", tag("a", "← All methods", href="#leaderboard"), class_="crumb"),
        tag("h1", facts.label, *tags, id=f"{name}-h", tabindex=-1),
        tag("p", facts.method, class_="mono id"),
        flagged,
        tag("p", one_line(facts.birth.idea, 600), class_="lede") if facts.birth and facts.birth.idea else Safe(),
        _facts(facts),
        _scores(facts.evaluations, name),
        _notes(facts.evaluations),
        _probes(facts.findings),
        _step(step),
        tag("h2", "Source"),
        code(coloured(clean(facts.source[: 3 * longest]))),
        _left_out(facts.source, 3 * longest, "source"),
        _talk(facts.birth, longest) if facts.birth else Safe(),
    ]
    return tag("article", *parts, aria_labelledby=f"{name}-h", class_="method", data_title=facts.label)


def _facts(facts: MethodDetails) -> Safe:
    """Return the key figures and the birth as a list of terms."""
    ranked, born = facts.ranked, facts.birth
    lines: list[tuple[str, str]] = []
    if ranked is not None:
        lines += [
            ("Fitness", number(ranked.fitness)),
            ("Dev PGR", guess(ranked.pgr, ranked.pgr_low, ranked.pgr_high, ranked.instances)),
        ]
        if ranked.fresh_pgr is not None:
            lines.append(("Fresh PGR", guess(ranked.fresh_pgr, ranked.fresh_low, ranked.fresh_high, ranked.fresh_instances)))
        home = "in no cell" if ranked.island is None else f"island {ranked.island}, cell {ranked.cell}"
        lines.append(("Elite", home))
    if born is not None:
        lines.append(("Made by", f"{made_by(born.operator, born.model)}, proposal {born.proposal:,}"))
        for parent in born.parents:
            gain = f", gain {number(parent.gain, sign=True)}" if parent.gain is not None else ""
            lines.append(("Parent", join(link(parent.method, label(parent.name, parent.method)), gain)))
        lines += [("Direction", born.direction), ("Prompt novelty", number(born.novelty))]
        if born.model:
            price = "price unknown" if born.usd is None else money(born.usd)
            lines.append(("Cost", f"{price}; {born.tokens_in:,} tokens in, {born.tokens_out:,} out; {born.seconds:.1f} s"))
    lines += [
        ("Size", count(facts.nodes, "syntax node")),
        ("Children", f"{facts.children:,}"),
        ("Stored", f"{facts.created} UTC"),
    ]
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", text)) for name, text in lines), class_="facts")


def _scores(evaluations: Sequence[EvaluationLine], name: str) -> Safe:
    """Return every evaluation: a picture of the instances, and the numbers."""
    if not evaluations:
        return join(tag("h2", "Scores"), tag("p", "It was never judged.", class_="note"))
    scored = [line for line in evaluations if any(trial.pgr is not None for trial in line.trials)][:_MOST_EVALUATIONS]
    columns = [
        Column("Instance"), Column("Status"), *(Column(head, "n") for head in ("PGR", "Value", "Floor", "Ceiling", "Seconds")),
        Column("Message", "text"),
    ]  # fmt: skip
    rows = [
        [
            f"{line.split} {trial.domain} {trial.instance}", trial.status, number(trial.pgr), number(trial.transfer_acc),
            number(trial.weak_acc), number(trial.strong_acc), f"{trial.seconds:.2f}", trial.message,
        ]
        for line in evaluations
        for trial in line.trials
    ]  # fmt: skip
    said = [
        tag("p", f"{line.split} {line.domain}: {line.status}. {line.message}", class_="note")
        for line in evaluations
        if line.message or line.status != "OK"
    ]
    chart = _instances(scored, name) if scored else Safe()
    numbers = fold("Instance by instance", table("Every trial", columns, rows)) if rows else Safe()
    return join(tag("h2", "Scores"), *said, chart, numbers)


def _instances(evaluations: Sequence[EvaluationLine], name: str) -> Safe:
    """Return a line of dots for each evaluation: one an instance, with the mean and its interval."""
    high, width = 40.0, 760.0
    ends = [end for line in evaluations for end in (line.pgr_low, line.pgr_high) if end is not None]
    ends += [trial.pgr for line in evaluations for trial in line.trials if trial.pgr is not None]
    x = Scale(min([0.0, *(max(end, -1.0) for end in ends)]), max([1.0, *(min(end, 1.5) for end in ends)]), 150, width - 14)
    bottom = 10 + high * len(evaluations)
    parts: list[Safe] = []
    for tick in x.ticks(6):
        parts.append(rule(x(tick), 4, x(tick), bottom, "axis" if tick in (0.0, 1.0) else "grid"))
        parts.append(words_at(x(tick), bottom + 16, number(tick), "tick", "middle"))
    for place, line in enumerate(evaluations):
        y = 10 + high * (place + 0.5)
        class_ = "dev" if line.split == "dev" else "champion"
        parts.append(words_at(0, y + 4, f"{line.split} {line.domain}"[:24], "name"))
        if line.pgr_low is not None and line.pgr_high is not None:
            parts.append(rule(x.inside(line.pgr_low), y, x.inside(line.pgr_high), y, f"champion whisker {class_}"))
        parts += [
            tag("circle", tag("title", f"instance {trial.instance}: PGR {number(trial.pgr)}"), cx=x.inside(trial.pgr), cy=y + 9,
                r=3, class_="dot")
            for trial in line.trials
            if trial.pgr is not None
        ]  # fmt: skip
        if line.pgr is not None:
            parts.append(tag("circle", cx=x.inside(line.pgr), cy=y, r=5, class_=f"champion point {class_}"))
    about = f"{count(len(evaluations), 'evaluation')}; the numbers are in the table that follows."
    return picture((width, bottom + 22), "PGR on every instance", about, *parts, name=f"{name}-scores", least=600.0)


def _notes(evaluations: Sequence[EvaluationLine]) -> Safe:
    """Return the numbers that the method noted itself: their mean and range over the trials of each evaluation."""
    columns = [Column("Noted"), Column("On"), *(Column(head, "n") for head in ("Mean", "Least", "Most", "Trials"))]
    rows = [
        [one_line(name, 40), f"{line.split} {line.domain}", *(f"{v:.4g}" for v in (fmean(vs), min(vs), max(vs))), f"{len(vs)}"]
        for line in evaluations
        for name, vs in line.noted.items()
    ]
    if not rows:
        return Safe()
    about = tag("p", "Numbers that the method reported with problem.note. Nothing is decided by them.", class_="note")
    return join(tag("h2", "What it noted"), about, table("Notes", columns, rows))


def _probes(findings: Sequence[Finding]) -> Safe:
    """Return what the reward-hack probes found."""
    if not findings:
        return Safe()
    columns = [
        Column("Probe"),
        Column("On"),
        Column("Verdict"),
        Column("Measured", "n"),
        Column("Held against", "n"),
        Column("What was seen", "text"),
    ]
    places = [f.domain if f.instance is None else f"{f.domain} {f.instance}" for f in findings]
    rows = [[f.probe, at, f.verdict, number(f.number), number(f.threshold), f.sentence] for f, at in zip(findings, places)]
    return join(tag("h2", "Probes for reward hacks"), table("Probes", columns, rows))


def _step(step: SourceChange | None) -> Safe:
    """Return the diff against the first parent."""
    if step is None:
        return Safe()
    gain = "" if step.gain is None else f", gain {number(step.gain, sign=True)}"
    heading = tag("h2", "What it changed against ", link(step.before, step.before_label), gain)
    return join(heading, diff_block(step))


def _talk(born: Birth, longest: int) -> Safe:
    """Return prompt and reply."""
    parts = []
    for name, text in (("prompt", born.prompt), ("reply", born.reply)):
        if text:
            shown = tag("pre", text[:longest], tabindex=0, class_="wrap")
            parts.append(fold(f"The {name}, {count(len(text), 'character')}", shown, _left_out(text, longest, name)))
    return join(tag("h2", "How it was asked for"), *parts) if parts else Safe()


def _left_out(text: str, longest: int, what: str) -> Safe:
    left = len(text) - longest
    if left <= 0:
        return Safe()
    sentence = f"The {what} goes on for {count(left, 'character')}: `python -m evolve show ID --prompt` prints all of it."
    return tag("p", sentence, class_="note")
