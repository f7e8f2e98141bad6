"""Opens, resumes, judges, replays and repairs whole runs.

- checks: may a run begin, or go on, here, and what it works with
- circumstances: what else could move a score
- comparison: a replay beside its recording
- find: runs and methods by name
- forecast: the worst cost, before anything is spent
- judge: files outside any run, alone or against another method
- maintenance: archives copied, merged, moved onto another grid
- new: a method file to begin with
- process: one writer, clean stops
- promotion: the best methods of a run, judged where trials are dear
- recording: a recording's replies and trials
- repair: a whole archive beside the damaged one
- replay: a recorded run again, compared
- resources: what judging needs, opened and closed together
- scale_check: the champion on each size of model
- sealed: the counted look
- seeds: baselines and a user's files
- session: start and resume
- task_check: a task, before anything is searched on it
- task_file: a task file to begin from, and what a model is told of a task
"""
