"""Fills the table README, which explains each table and view to a person who opens the file with another tool."""

from __future__ import annotations

from archives.sqlite.library import Database

# In the order in which a newcomer should read them: the views first.
ABOUT = {
    "leaderboard": "View: every method that was judged OK, the fittest first, with dev and fresh PGR, cost and flags.",
    "lineage": "View: one row for each parent of each child, with the operator and the gain in PGR over that parent.",
    "baselines": "View: the human baselines of the leaderboard, best on fresh instances first.",
    "cells": "View: the elite of every occupied cell of every island: fitness, measures, age, visits, curiosity.",
    "vectors": "View: the mean dev PGR of every method on each search domain.",
    "pareto": "View: the methods of vectors that no other beats on every search domain: the Pareto front.",
    "costs": "View: what each model cost: calls, tokens, dollars (empty when a price is not known).",
    "failures": "View: why candidates were refused or failed, the most frequent reasons first.",
    "arms": "View: what came of each operator and model on each island: the arms of the bandit that chooses among them.",
    "lookers": "View: who has seen how many scores of whose lineage: how often the data was looked at.",
    "runs": "The run this file is about, in one row: its task, configuration, state, champion and verdict.",
    "methods": "Every method that passed the screen: its source, a Python file, and where it came from.",
    "proposals": "Every child that was asked for, whatever became of it: its prompt, reply, idea, fate, and method.",
    "evaluations": "Every method judged on a split of a domain: its status, PGR with interval, and fitness.",
    "trials": "Every run of a method on one instance within an evaluation, with its accuracies.",
    "experiments": "Every variant that was tried beside the search: a model's short variants, declared constants, ablations.",
    "pairs": "What one parent adds to another: the share of dev rows that the first has wrong and the second right.",
    "elites": "The MAP-Elites grid: the best method of each cell of each island, as it is now.",
    "directions": "The research directions that prompts carry, those from the literature and those that models wrote.",
    "probes": "What the reward-hack probes found: PASSED, FAILED (which flags the method), CONTESTED or SKIPPED.",
    "looks": "Every score that left the vault: who saw it, of which method, and what for.",
    "spend": "Every answered call of a model with its tokens and dollars, and calls that were cut off, at most.",
    "events": "What happened, in order, as sentences: new bests, migrations, resets, notes, the verdict.",
    "journal": "The order in which the steps of the search ended: what a replay follows.",
    "arm_totals": "What the view arms shows, kept by triggers as proposals end, so that nobody has to count again.",
    "direction_totals": "Of each direction the proposals that ended, and those that made an elite, kept by the same triggers.",
    "findings": "Empty: nothing writes to it yet.",
    "reviews": "Empty: nothing writes to it yet.",
    "README": "This table: what each table and view is. docs/archive.md of evolve explains every column.",
}


def explain(db: Database) -> None:
    """Fill the table README with a line for each table and view that there is; a migration that adds one calls this again."""
    there = {str(name) for (name,) in db.execute("select name from sqlite_master where type in ('table', 'view')")}
    db.execute("delete from README")
    for name, about in ABOUT.items():
        if name in there:
            db.execute("insert into README (name, about) values (?, ?)", [name, about])
