"""Measures what each part of the record is worth, by neutralising one at a time (operator `ablate`); it makes no child."""

from __future__ import annotations

import random

from evolve.nouns import Brief, Draft, Subject, Tools, Variant
from evolve.screening.worker import CallFailed, WorkerDied

NEUTRALISED = "evolve.operators.offline.neutral:neutralised"  # runs in the worker: only there is libcst imported
SECONDS = 20.0  # of processor time
MOST = 12  # parts
UNCHANGED = "the record, unchanged"


class Ablate:
    """Tries the record with one part neutralised, and unchanged on the same instances; what came of it is for prompts."""

    name = "ablate"
    needs_model = False
    needs_cards = True
    needs_prompts = True
    experiments = True
    parents = 1
    subject: Subject = "record"

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make the experiments, without a race: differences are paired."""
        record = brief.parents[0]
        if tools.experiments is None:
            return Draft(None, problem="this run has no experiments to try variants with")
        material = {"source": record.method.source, "grammar": tools.grammar and tools.grammar.to_json()}
        try:
            found = tools.worker.call(NEUTRALISED, SECONDS, most=MOST, seed=rng.getrandbits(32), **material)["parts"]
        except (CallFailed, WorkerDied) as error:
            return Draft(None, problem=f"the record could not be taken apart: {error}")
        if not found:
            return Draft(None, problem="the record has no part that can be neutralised")
        variants = [Variant(UNCHANGED, record.method.source), *(Variant(**part) for part in found)]
        return Draft(None, f"what {len(tools.experiments.run(variants, race=False)) - 1} parts of {record.name} are worth")
