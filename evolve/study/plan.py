"""Plans a study: which searches it consists of, and the folder from which it can be resumed."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archives.archive import Archive
from archives.sqlite.place import make_folder, private
from evolve.config import DEFAULT_FILE, Config, read_file, resolve
from evolve.errors import UsageError
from evolve.files import PLAN, RUNS, decoded, run_name
from evolve.runs import seeds
from evolve.runs.checks import admitted, stored_config
from evolve.selection import strategies
from fitness import tasks

OURS = ("workers", "calls", "finalists", "held_out_instances", "evals", "trials", "strategy", "seeds")  # set by a study itself
MANY = 20  # evaluations for each nominal one, at most: the limit is the trials


@dataclass(frozen=True)
class Contestant:
    """One search of a study; `trials` is its budget."""

    strategy: str
    repeat: int
    trials: int
    config: Config
    path: Path


@dataclass(frozen=True)
class Plan:
    """A study.

    Attributes:
        folder: where its archives lie.
        evals: nominal evaluations a search: it gets as many trials as so many methods have that no race cuts short.
        config: what all searches share.
        hold_out: the human baseline that takes no part, "" for none.
    """

    folder: Path
    strategies: tuple[str, ...]
    repeats: int
    evals: int
    config: Config
    hold_out: str = ""

    @property
    def trials(self) -> int:
        """The trials on dev instances that each search may use."""
        return self.evals * self.config.dev_instances * len(self.config.domains)

    @property
    def beginning(self) -> Path:
        """The archive that every search begins as a copy of: the seeds, judged."""
        return self.folder / "beginning.db"

    @property
    def shared(self) -> Config:
        """The configuration of the beginning."""
        in_turn = {"workers": 1, "calls": 1}  # one candidate after the other: a search then repeats exactly
        one_answer = {"finalists": 1, "held_out_instances": 0}
        given = in_turn | one_answer | {"evals": MANY * self.evals, "trials": self.trials}
        return self.config.model_copy(update=given)

    def contestants(self) -> Iterator[Contestant]:
        """Yield every search, all strategies with one seed before the next seed."""
        for repeat in range(self.repeats):
            for strategy in self.strategies:
                config = self.shared.model_copy(update={"strategy": strategy, "seed": self.config.seed + repeat})
                yield Contestant(strategy, repeat, self.trials, config, self.folder / f"{strategy}-{config.seed}.db")

    @property
    def key(self) -> str:
        """The study's own among all studies, as a run has one."""
        return hashlib.sha256(json.dumps(self._fixed).encode()).hexdigest()[:16]

    @property
    def _fixed(self) -> dict[str, object]:
        """What its folder holds, and no command may change."""
        return {"evals": self.evals, "hold_out": self.hold_out, "config": self.config.model_dump(mode="json")}

    def settle(self) -> None:
        """Make the folder, or see that it holds a study like this one; strategies and repeats may be added to it.

        Raises UsageError when it holds another study, or something else.
        """
        fixed, file = self._fixed, self.folder / PLAN
        try:
            make_folder(self.folder)
            if file.exists():
                known = json.loads(decoded(file.read_bytes()))
                known["config"] = resolve(known["config"]).model_dump(mode="json")  # settings that are new since then
                changed = sorted(name for name in fixed if known.get(name) != fixed[name])
                if changed:
                    what = _changes(known, fixed) if "config" in changed else ", ".join(changed)
                    raise UsageError(f"{self.folder} holds another study (other {what}): name another folder with --out")
            elif any(self.folder.iterdir()):
                raise UsageError(f"{self.folder} is not empty and holds no study: name another folder with --out")
            else:
                with open(file, "x", encoding="utf-8", opener=private) as written:
                    written.write(json.dumps(fixed, indent=1) + "\n")
        except OSError as error:
            raise UsageError(f"cannot use {self.folder}: {error.strerror}") from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise UsageError(f"{file} is no plan of a study: name another folder with --out") from error


def _changes(known: dict[str, dict[str, object]], fixed: dict[str, object]) -> str:
    now = fixed["config"]
    assert isinstance(now, dict)
    return ", ".join(name for name in now if known["config"].get(name) != now[name])


@dataclass(frozen=True)
class Options:
    """What a study is asked for, beside settings that its searches share.

    Attributes:
        strategies: "all", or names joined by commas.
        out: its folder, None for one in runs/.
    """

    strategies: str
    repeats: int
    evals: int
    out: Path | None = None
    hold_out: str = ""


def draw_up(options: Options, settings: Mapping[str, Any], said: Mapping[str, Any]) -> Plan:
    """Return the plan of a study, which keeps to evolve.toml, `settings` and what was `said`. Raises UsageError."""
    if options.strategies == "all":
        names = tuple(strategies.STRATEGIES)
    else:
        names = tuple(dict.fromkeys(name.strip() for name in options.strategies.split(",")))
    for name in names:
        strategies.strategy(name)
    file = read_file(DEFAULT_FILE) if DEFAULT_FILE.exists() else {}
    for name in OURS:
        if name in settings:
            instead = {"evals": ": say --evals N", "strategy": ": say --strategies A,B"}.get(name, "")
            raise UsageError(f"--set {name} has no place here, compare sets it itself{instead}")
    config = admitted(resolve(file, settings, said, {"workers": 1, "strategy": "map-elites"}))
    human, hold_out = [seed.name for seed in seeds.collect(folders=tasks.load(config.task).seeds)], options.hold_out
    if hold_out and hold_out not in human:
        raise UsageError(f"there is no human baseline named {hold_out!r} to hold out: there are {', '.join(human)}")
    if config.seeds:
        raise UsageError(f"compare starts from the human baselines alone: take seeds out of {DEFAULT_FILE}")
    label = "+".join(["compare", config.domain, str(options.evals), *([f"without-{hold_out}"] if hold_out else [])])
    out = options.out or RUNS / f"{label}-seed{config.seed}"
    return Plan(out, names, options.repeats, options.evals, config, hold_out)


def control(run: Path, evals: int) -> Plan:
    """Return the plan of a run's control: one search that tunes the best baseline's constants, judged as the run was."""
    with contextlib.closing(Archive.open(run)) as archive:
        config = stored_config(archive)
    kept = ("task", "domain", "device", "trust_methods", "dev_instances", "fresh_instances")
    judged = {name: getattr(config, name) for name in kept}
    return Plan(run.with_name(f"{run_name(run)}-retuned"), ("tune",), 1, evals, resolve({"workers": 1} | judged))
