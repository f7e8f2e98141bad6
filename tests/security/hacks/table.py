"""What would the cheats gain? `python -m tests.security.hacks.table [INSTANCES]` prints their PGR on chat and who catches them.

Judged like `evolve judge`, on its instances. "Quick" counts the instances on which the quick examination, which guards the
grid, flagged the method at all; "thorough" those on which the thorough one saw the probe that its file names.
"""

from __future__ import annotations

import sys
from statistics import fmean

from evolve.runs.judge import FIRST
from evolve.runs.resources import judge_resources
from fitness.nouns import Split
from fitness.tasks import load
from fitness.vault.instance import InstanceName
from tests.security.hacks.gallery import CHEATS, EARLIER, flags, method


def main() -> None:
    """Print the table."""
    names = [InstanceName("embedded", "chat", Split.FRESH, FIRST + i) for i in range(int((sys.argv[1:] or ["4"])[0]))]
    with judge_resources(load("embedded"), names) as resources:
        print("| cheat | PGR on chat, mean (lowest to highest) | caught by | quick | thorough |\n|---|---|---|---|---|")
        for cheat in CHEATS:
            if cheat.catcher in EARLIER:
                continue
            suspect = method(resources, cheat.source)
            trials = [resources.judge.trial(suspect, name) for name in names]
            quick = sum(bool(flags(resources, suspect, trial)) for trial in trials)
            named = sum(cheat.catcher in flags(resources, suspect, trial, thorough=True) for trial in trials)
            pgrs = [trial.score.pgr for trial in trials if trial.score]
            gain = f"{fmean(pgrs):.2f} ({min(pgrs):.2f} to {max(pgrs):.2f})" if pgrs else str(trials[0].status)
            print(f"| {cheat.name} | {gain} | {cheat.catcher} | {quick}/{len(names)} | {named}/{len(names)} |", flush=True)


if __name__ == "__main__":
    main()
