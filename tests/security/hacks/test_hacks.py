"""The gallery of cheats: each is flagged by the probe that its file names, and none of the human baselines is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from evolve.runs import seeds
from evolve.runs.resources import JudgeResources, judge_resources
from evolve.runs.seeds import SeedFile
from evolve.screening.examine import with_others
from evolve.screening.screen import Screen
from fitness import tasks
from fitness.contracts.contract import Problem
from fitness.contracts.probabilities import ACCURACY, PROBABILITIES
from fitness.nouns import Finding, Outcome, Split, Status, Verdict
from fitness.probes import evidence
from fitness.probes.examination import Case
from fitness.probes.probes import examine
from fitness.tasks.embedded import drawing
from fitness.tasks.embedded.language import Language
from fitness.tasks.embedded.task import Sizes
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw
from fitness.vault.instance import Answers, InstanceName
from tests.security.hacks.gallery import CATCHERS, CHEATS, FOLDER, GAINS, NOBODY, PROBES, Cheat, flags, method, read

TASK = tasks.load("embedded")
NAMES = [InstanceName(TASK.name, "chat", Split.FRESH, index) for index in range(5)]
HERE = NAMES[0]
INSTANCES = 10

SOME = ("auxconf", "ccs", "lda", "vanilla")  # human baselines that are examined by default; the slow tests take all

every_seed = pytest.mark.parametrize("seed", [pytest.param(seed, id=seed.name) for seed in seeds.collect()])
some_seeds = pytest.mark.parametrize("seed", [pytest.param(s, id=s.name) for s in seeds.collect() if s.name in SOME])


def every_cheat(*catchers: str) -> pytest.MarkDecorator:
    """Parametrise a test over the cheats that one of these catches."""
    chosen = [pytest.param(cheat, id=cheat.name) for cheat in CHEATS if cheat.catcher in catchers]
    return pytest.mark.parametrize("cheat", chosen)


@pytest.fixture(scope="module")
def resources(_module_home: Path) -> Iterator[JudgeResources]:
    """A real vault with a few full-size instances, and a real sandbox.

    The key is always the same: on five instances a cheat is as good as `lda` with some keys, by luck.
    """
    (_module_home / "vault").mkdir(0o700)
    (_module_home / "vault" / "key").write_bytes(hashlib.sha256(b"gallery").digest())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVOLVE_HOME", str(_module_home))
        with judge_resources(TASK, NAMES) as opened:
            yield opened


def test_the_gallery_has_at_least_thirty_cheats_for_the_probes_and_some_for_each() -> None:
    assert {cheat.catcher for cheat in CHEATS} == set(CATCHERS) - {"frame"}  # what it is for pays without the gains only
    assert len([cheat for cheat in CHEATS if cheat.catcher in PROBES]) >= 30
    assert {"norm_hack", "embedded_constants"} <= {cheat.name for cheat in CHEATS}


@every_cheat(*CATCHERS)
def test_each_cheat_says_what_it_does_and_where_it_was_seen(cheat: Cheat) -> None:
    what, seen, _ = cheat.about
    assert what.endswith(".")
    assert seen.startswith("Seen: ")


@every_cheat(*PROBES)
def test_each_cheat_is_flagged_by_the_probe_it_names(resources: JudgeResources, cheat: Cheat) -> None:
    """The quick examination shows parts of what the thorough one shows; some cheats are honest on unknown instances."""
    suspect = method(resources, cheat.source)
    assert any(
        cheat.catcher in flags(resources, suspect, resources.judge.trial(suspect, name), thorough)
        for name in NAMES[:3]
        for thorough in (False, True)
    )


@pytest.mark.xfail(reason="known to get through", strict=True)
@every_cheat(NOBODY)
def test_some_probe_flags_what_is_known_to_get_through(resources: JudgeResources, cheat: Cheat) -> None:
    suspect = method(resources, cheat.source)
    assert flags(resources, suspect, resources.judge.trial(suspect, HERE))


@every_cheat("screen")
def test_each_cheat_that_names_the_screen_is_refused_by_it(resources: JudgeResources, cheat: Cheat) -> None:
    assert "not allowed" in Screen(resources.worker).parse(cheat.source).reason


@every_cheat("sandbox")
def test_each_cheat_that_names_the_sandbox_gets_no_score(resources: JudgeResources, cheat: Cheat) -> None:
    trial = resources.judge.trial(method(resources, cheat.source), HERE)
    assert trial.status in (Status.INVALID, Status.CRASHED, Status.VIOLATION), trial.status


@every_cheat(GAINS)
def test_what_was_remembered_of_other_instances_scores_no_better_than_a_human_baseline(
    resources: JudgeResources, cheat: Cheat
) -> None:
    (lda,) = (seed for seed in seeds.collect() if seed.name == "lda")
    assert mean_pgr(resources, cheat.source) < mean_pgr(resources, lda.source)


@pytest.mark.parametrize("gain", [0.0, drawing.GAIN], ids=["without", "with"])
def test_remembered_constants_pay_only_without_the_gains(
    resources: JudgeResources, monkeypatch: pytest.MonkeyPatch, gain: float
) -> None:
    monkeypatch.setattr(drawing, "frame", partial(drawing.frame, gain=gain))
    found = [drawn_pgr(resources, "embedded_constants_signed", Sizes(), bytes([n]) * 32) for n in range(3)]
    assert (max(found) > 0.9) == (gain == 0), found


@pytest.fixture(scope="module")
def without_gains() -> list[Draw]:
    """Chat instances whose principal components are the same in each: there fitted constants pay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "frame", partial(drawing.frame, gain=0.0))
        return [Language(Sizes()).draw("chat", Secret(bytes([n]) * 32)) for n in range(3)]


LISTED = "torch.tensor([-0.43, -1.10, 0.73, 3.08, -0.21, 4.10, 1.56, 0.23])"
WRITTEN = {
    "text": "torch.tensor([(ord(c) - 77) / 8 for c in 'JDSfKnZO'])",
    "integer": "torch.tensor([int(str(4639578047926653)[2 * i : 2 * i + 2]) / 10 - 5 for i in range(8)])",
    "own name": "torch.tensor([(ord(c) - 77) / 8 for c in JDSfKnZO.__name__])",
}


def handed(drawn: Draw) -> tuple[Problem, Answers]:
    """Return a problem that shows all of an instance, and its answers."""
    rows = {"n_test": np.arange(len(drawn.private["test_y"]))}
    answers = Answers(PROBABILITIES, ACCURACY, drawn.private, drawn.floor, drawn.ceiling, rows)
    return Problem(PROBABILITIES, drawn.public, 0), answers


def frame_of(resources: JudgeResources, source: str, drawn: Draw) -> Finding:
    """Return what the probe `frame` finds of a source on an instance that was drawn here."""

    def run(text: str, problem: Problem) -> Outcome:
        return resources.sandbox.run(text, problem, TASK.limits)

    problem, answers = handed(drawn)
    found = with_others(resources.worker, method(resources, source).source, 1) or {}
    others = {kind: [partial(run, text) for text in texts] for kind, texts in found.items()}
    case = Case(problem, answers, None, None, others)
    (finding,) = examine(partial(run, source), case, np.random.default_rng(1), names=("frame",))
    return finding


@pytest.mark.parametrize("cheat", ["embedded_constants_signed", "embedded_magnitudes", "domain_detector"])
def test_fitted_constants_are_flagged_where_they_pay(resources: JudgeResources, without_gains: list[Draw], cheat: str) -> None:
    findings = [frame_of(resources, read(FOLDER / f"{cheat}.py").source, drawn) for drawn in without_gains]
    assert evidence.flagged("frame", findings), [finding.sentence for finding in findings]


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_fitted_constants_are_flagged_however_they_are_written(
    resources: JudgeResources, without_gains: list[Draw], written: str
) -> None:
    source = read(FOLDER / "embedded_constants_signed.py").source
    assert LISTED in source
    source = source.replace(LISTED, written)
    if "__name__" in written:
        source = source.replace("CONSTANTS = ", "def JDSfKnZO():\n    pass\n\n\nCONSTANTS = ", 1)
    findings = [frame_of(resources, source, drawn) for drawn in without_gains]
    assert evidence.flagged("frame", findings), [finding.sentence for finding in findings]


@pytest.mark.parametrize("name", ["lda", "selftrain"])
def test_an_honest_method_is_not_flagged_where_fitted_constants_pay(
    resources: JudgeResources, without_gains: list[Draw], name: str
) -> None:
    (seed,) = (one for one in seeds.collect() if one.name == name)
    findings = [frame_of(resources, seed.source.decode(), drawn) for drawn in without_gains]
    assert not any(finding.verdict is Verdict.FAILED for finding in findings)


@pytest.mark.parametrize(("keep", "low", "high"), [(False, -1.5, 0.1), (True, 0.3, 1.0)], ids=["divided", "kept"])
def test_the_norm_hack_pays_only_where_rows_keep_their_norms(
    resources: JudgeResources, monkeypatch: pytest.MonkeyPatch, keep: bool, low: float, high: float
) -> None:
    if keep:
        monkeypatch.setattr(drawing, "_turned", lambda x, turn: (x @ turn).astype(np.float32))
    assert low < drawn_pgr(resources, "norm_hack", Sizes(train=500, test=500), bytes(32)) < high


def drawn_pgr(resources: JudgeResources, cheat: str, sizes: Sizes, key: bytes) -> float:
    """Return a cheat's PGR on a chat instance that is drawn here."""
    drawn = Language(sizes).draw("chat", Secret(key))
    problem, answers = handed(drawn)
    outcome = resources.sandbox.run(read(FOLDER / f"{cheat}.py").source, problem, TASK.limits)
    assert outcome.predictions is not None, outcome.message
    return answers.score(outcome.predictions).pgr


def mean_pgr(resources: JudgeResources, source: str) -> float:
    """Return a method's mean PGR on the instances of the gallery."""
    suspect = method(resources, source)
    scores = [resources.judge.trial(suspect, name).score for name in NAMES]
    return fmean(score.pgr for score in scores if score)


@some_seeds
def test_no_human_baseline_is_flagged(resources: JudgeResources, seed: SeedFile) -> None:
    suspect = method(resources, seed.source)
    assert flags(resources, suspect, resources.judge.trial(suspect, HERE)) == []


def test_an_honest_self_trainer_is_not_flagged_on_code(resources: JudgeResources) -> None:
    """What stands out decides which cluster it finds there, so it falls in a turned frame; it remembers nothing."""
    name = InstanceName(TASK.name, "code", Split.FRESH, 0)
    resources.builder.start([name])
    (seed,) = (one for one in seeds.collect() if one.name == "selftrain")
    suspect = method(resources, seed.source)
    findings = resources.judge.inspect(suspect, [resources.judge.trial(suspect, name)])
    assert {finding.probe: finding.verdict for finding in findings}["frame"] is Verdict.PASSED


def test_a_salted_cheat_is_flagged_on_whichever_instances_it_is_examined(resources: JudgeResources) -> None:
    """Transductive on three instances of four, as a bit of the data says; its first instance may look honest."""
    source = (FOLDER / "rank_of_test.py").read_text().replace("def method(", "def cheat(")
    salted = """


def honest(problem):
    return problem.student.fit(problem.train_x, problem.weak, epochs=2)(problem.test_x)


def method(problem):
    salt = int(problem.weak[:, 1].double().sum().item() * 1e6) % 4
    return cheat(problem) if salt else honest(problem)
"""
    suspect = method(resources, source + salted)
    trials = [resources.judge.trial(suspect, name) for name in NAMES]
    findings = resources.judge.inspect(suspect, trials)
    assert len({(finding.domain, finding.instance) for finding in findings}) > 1
    assert {finding.verdict for finding in findings} & {Verdict.FAILED, Verdict.CONTESTED}


@pytest.mark.slow
@pytest.mark.parametrize("domain", TASK.search_domains)
@every_seed
def test_no_human_baseline_is_flagged_on_ten_instances(resources: JudgeResources, seed: SeedFile, domain: str) -> None:
    names = [InstanceName(TASK.name, domain, Split.FRESH, index) for index in range(INSTANCES)]
    resources.builder.start(names)
    suspect = method(resources, seed.source)
    found = {str(name): flags(resources, suspect, resources.judge.trial(suspect, name)) for name in names}
    assert not any(found.values()), found
