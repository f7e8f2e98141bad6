"""evolve: an evolutionary search engine for weak-to-strong supervision methods.

A candidate goes through ten steps, and each has its place: select `selection/` · brief `prompting/` · reserve `budget.py` ·
propose `operators/` `models/` · screen `screening/` · submit `executors/` · run `fitness/sandbox/` · judge `fitness/judge.py`
`fitness/probes/` · record `archives/` · place `islands/`. `search/` walks it through them; `runs/` opens, resumes and replays
whole runs. Words are explained in docs/glossary.md.

- __main__: `python -m evolve`
- budget: reserve, settle, refund
- cli/: the command line
- config: the settings of a run
- errors: what a user is told
- executors/: where methods are judged
- files: what lies beside an archive
- grids: which grid a run has
- islands/: elites and migration
- models/: language models, by provider
- nouns: briefs, drafts, the protocols of Model and Operator
- observer: what may watch a run
- operators/: how a child is made
- prompting/: prompts, and which scores a model may see
- queries/: what an archive answers
- report/: pages and plots
- runs/: start, resume, judge, replay
- screening/: checks before anything is spent
- search/: the loop
- selection/: what to ask next
- study/: strategies compared at equal budget
- text: strangers' texts made safe
- trackers/: a run's numbers in other tools
"""

__version__ = "0.1.0"
