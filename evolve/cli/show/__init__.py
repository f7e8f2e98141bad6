"""Prints for people what verbs found; as JSON the verbs print it themselves.

- again: the commands that go on
- console: tables, source, heat maps in 80 columns
- ending: before and after a run
- estimate: a dry run
- lineage: a method's ancestors
- promotion: what `promote` found
- run: status, leaderboard, one method
- study: a study and its table
- tables: failures, costs, hits, operators
- verdict: what `judge` found of a file
"""
