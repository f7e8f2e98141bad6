"""evolve: an evolutionary search engine for methods of alignment.

A candidate goes through ten steps, and each has its place: select `selection/` · brief `prompting/` · reserve `budget.py` ·
propose `operators/` `models/` · screen `screening/` · submit `executors/` · run `fitness/sandbox/` · judge `fitness/judge.py`
`fitness/probes/` · record `archives/` · place `islands/`. `search/` walks it through them; `runs/` opens, resumes and replays
whole runs. Words are explained in docs/glossary.md.

- __main__: `python -m evolve`
- api: start, resume, open_run, judge, Run
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
- testing: contract suites for what others write
- text: strangers' texts made safe
- trackers/: a run's numbers in other tools

The names in __all__ are public, and loaded when they are used: `run = evolve.start(evals=50, domain="chat")`. Everything else
may move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archives.nouns import Elite, Placement
    from evolve import search
    from evolve.api import Run, judge, open_run, resume, start
    from evolve.config import Config
    from evolve.executors import Executor
    from evolve.nouns import Brief, Draft, Model, Operator
    from evolve.observer import Observer
    from fitness.contracts.contract import Words, answer, array
    from fitness.contracts.symmetries import apart, exchange, needs, permute, rename, repeats, turn
    from fitness.nouns import Evaluation, EvolveError, Measure, Method, Status
    from fitness.tasks.own import OwnTask as Task
    from fitness.tasks.source import Draw

__version__ = "0.1.0"
__all__ = [
    "Brief", "Config", "Draft", "Draw", "Elite", "Evaluation", "EvolveError", "Executor", "Measure", "Method", "Model",
    "Observer", "Operator", "Placement", "Run", "Status", "Task", "Words", "answer", "apart", "array", "exchange", "judge",
    "needs", "open_run", "permute", "rename", "repeats", "resume", "search", "start", "turn",
]  # fmt: skip
_HOMES = {
    "archives.nouns": ("Elite", "Placement"),
    "evolve.api": ("Run", "judge", "open_run", "resume", "start"),
    "evolve.config": ("Config",),
    "evolve.executors": ("Executor",),
    "evolve.nouns": ("Brief", "Draft", "Model", "Operator"),
    "evolve.observer": ("Observer",),
    "evolve.search": ("search",),  # a folder that can be called
    "fitness.nouns": ("Evaluation", "EvolveError", "Measure", "Method", "Status"),
    "fitness.contracts.contract": ("Words", "answer", "array"),
    "fitness.contracts.symmetries": ("apart", "exchange", "needs", "permute", "rename", "repeats", "turn"),
    "fitness.tasks.own": ("Task",),
    "fitness.tasks.source": ("Draw",),
}
_CALLED = {"Task": "OwnTask"}  # public names of what is called otherwise where it lives

if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        """Import a public name. Raises ImportError when another distribution's packages stand in the way of ours."""
        home = next((module for module, names in _HOMES.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module 'evolve' has no attribute {name!r}: its names are {', '.join(__all__)}")
        from importlib import import_module

        from evolve.__main__ import stray_package

        stray = stray_package()
        if stray:
            raise ImportError(stray)
        module = import_module(home)
        globals()[name] = found = module if home == f"evolve.{name}" else getattr(module, _CALLED.get(name, name))
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
