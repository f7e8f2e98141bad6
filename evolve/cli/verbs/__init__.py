"""Implements the verbs: each parses its options, calls a function, and prints.

- archive: check, backup, merge, regrid
- compare: strategies at equal budget
- credit: where a champion's gain comes from
- doctor: what this machine offers
- inspect: status, top, show, diff, lineage, map, failures, costs, find
- judge: method files, alone or against another method
- new: a method file to begin with
- promote: the best methods of a run, judged elsewhere
- replay: a recorded run again
- report: report and export
- run: start and resume
- sealed: the sealed instances
- task: a task of one's own
- seed: baselines and a user's files
- ui: the live page
"""
