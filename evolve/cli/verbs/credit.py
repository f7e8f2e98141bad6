"""Runs the verb `credit`: where a champion's gain comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evolve.cli.options import answer, db_option, json_option, own_option, trust_option
from evolve.errors import UsageError
from evolve.report.heartbeat import Waiting
from evolve.runs.find import choose_method, find_run, reading
from evolve.text import count, label, short

if TYPE_CHECKING:
    from archives.archive import Archive
    from evolve.study.credit import Credit, Edge, Kind


@click.command()
@click.argument("method", required=False, metavar="[ID|NAME]")
@click.option(
    "--control", type=click.Path(path_type=Path), metavar="RUN.db", help="A run of `--strategy tune` to hold it against."
)
@click.option(
    "--retune",
    type=click.IntRange(1),
    metavar="N",
    help="Make such a run first, of N evaluations, beside the run; it goes on where it was stopped.",
)
@db_option
@own_option
@trust_option
@json_option
def credit(method: str | None, control: Path | None, retune: int | None, db: Path | None, trust: bool, as_json: bool) -> None:
    """Which steps of a method's lineage gained (default: the champion's), and how much of that holds on fresh instances.

    Its ancestors are judged on the run's fresh instances, and each score is recorded as a look. The lineage is the line of
    first parents, down to a seed.
    """
    from evolve.study import credit as study

    if control and retune:
        raise UsageError("give --control or --retune, not both: --retune makes the run that --control names")
    path = find_run(db)
    with reading(path) as archive:
        chosen = choose_method(archive, method)
        _check_bred(archive, chosen)
        study.line_of(archive, chosen)
    if retune:
        control = _retuned(path, retune, quiet=as_json)
    tuned = study.control_pgr(control) if control else None
    with Waiting(f"judging the lineage of {short(chosen)}", quiet=as_json) as waiting:
        study.judge_line(path, chosen, waiting.say, trust)
        with reading(path) as archive:
            found = study.credit(archive, chosen, tuned)
    answer(found, as_json, _say)


def _check_bred(archive: Archive, method: str) -> None:
    """Raise UsageError for a seed, which has no steps."""
    row = archive.rows("select name, origin from methods where id = ?", [method])[0]
    if row["origin"] in ("seed", "added"):
        raise UsageError(f"{label(str(row['name']), method)} is a seed and was not bred: credit is for bred methods")


def _retuned(path: Path, evals: int, quiet: bool) -> Path:
    """Tune the constants of the best baseline, and return the archive of that search."""
    from evolve.cli.show.study import carry_out
    from evolve.study.plan import control

    plan = control(path, evals)
    carry_out(plan, 1, quiet)
    return next(plan.contestants()).path


def _say(found: Credit) -> None:
    from evolve.cli.show.console import paragraph, say, table

    say(f"{found.champion}, {count(len(found.edges), 'step')} from {found.seed}", "bold")
    rows = [
        [short(edge.child), edge.operator, edge.kind, _gain(edge.dev), _gain(edge.fresh), _gain(edge.low), edge.idea]
        for edge in found.edges
    ]
    table(["child", "operator", "changed", "dev", "fresh", ">=", "idea"], rows, words=(6, 1), right=(3, 4, 5), optional=(6,))
    say()
    paragraph(in_words(found))


def in_words(found: Credit) -> str:
    """Return a credit report as a paragraph."""
    best = max((edge for edge in found.edges if edge.fresh is not None), key=lambda edge: edge.fresh or 0.0, default=None)
    lost = sum((edge.dev or 0.0) > 0 >= (edge.fresh or 0.0) for edge in found.edges)
    added, again = (sum(getattr(edge, name) for edge in found.edges) for name in ("added", "readded"))
    bound = f"n = {found.instances}: too few for a bound"
    if found.low is not None:
        bound = f"one-sided 95 % lower bound {found.low:+.2f}"
    sentences = [
        f"On {found.instances} fresh instances {found.champion} is {found.fresh:+.2f} PGR above {found.seed}, the baseline "
        f"that its first parents go back to ({bound}); on the dev instances that selection "
        f"saw it is {found.dev:+.2f}, so {_vanished(found)}.",
        *(_of_a_kind(found, kind) for kind in ("structure", "constants") if any(e.kind == kind for e in found.edges)),
        _best(best) if best else "",
        f"{count(lost, 'step')} gained on dev and nothing on fresh instances." if lost else "",
        _control_in_words(found),
        f"Of the {count(added, 'line')} that were added on the way, {again} had been deleted in the lineage before.",
    ]
    return " ".join(filter(None, sentences))


def _of_a_kind(found: Credit, kind: Kind) -> str:
    steps = count(sum(edge.kind == kind for edge in found.edges), "step")
    what = "changed the structure" if kind == "structure" else "changed constants only"
    return f"{steps} {what}: {found.gained(kind, 'fresh'):+.2f} on fresh instances ({found.gained(kind, 'dev'):+.2f} on dev)."


def _best(edge: Edge) -> str:
    sure = "on too few instances to be sure"
    if edge.low is not None:
        sure = f"{'surely' if edge.low > 0 else 'not surely'} above 0 (at least {edge.low:+.2f})"
    what = f"{short(edge.child)} by {edge.operator}" + (f" ({edge.idea})" if edge.idea else "")
    return f"The step that gained most is {what}: {edge.fresh:+.2f}, {sure}."


def _control_in_words(found: Credit) -> str:
    if found.control is None:
        return ""
    return f"Control: a run that only tuned the constants of the best baseline came {found.control:+.2f} from {found.seed}."


def _vanished(found: Credit) -> str:
    lost = found.dev - found.fresh
    return f"{lost:.2f} of the gain vanished" if lost > 0.005 else "none of the gain vanished"


def _gain(gain: float | None) -> str:
    return "-" if gain is None else f"{gain:+.2f}"
