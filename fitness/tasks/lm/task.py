"""Makes the task of a folder of texts: the weak-to-strong contract on what language models make of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fitness.contracts.contract import Array
from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import Limits
from fitness.registry import UsageError
from fitness.sandbox.inside.recipe import DEVIATIONS
from fitness.tasks.data.task import options_of
from fitness.tasks.embedded.grammar import GRAMMAR
from fitness.tasks.lm import checks, models, results
from fitness.tasks.lm.options import LmOptions
from fitness.tasks.lm.rows import Domain, digests, domains_of, load
from fitness.tasks.task import Task, fact

NAME, VERSION = "lm", 1  # raise the version whenever an instance would come out different
DAY = 86_400.0  # seconds: features, teachers and ceilings are made for the first instances
MARGIN = 0.05  # by how much a ceiling must exceed its floor
PROBE = Limits(seconds=120.0, memory=4 << 30)
FINETUNE = Limits(seconds=6 * 3600.0, memory=32 << 30)
TUNED = replace(  # methods were probed at the other fidelity: here each run takes a fine-tune
    PROBABILITIES,
    arrays=(
        *PROBABILITIES.arrays,
        Array("train_tokens", "n_train train_longest", "int32", "the texts behind train_x as tokens, -1 behind their ends"),
        Array("test_tokens", "n_test test_longest", "int32", "the texts behind test_x as tokens"),
        Array("answer_tokens", "2", "int32", "the tokens of class 0 and of class 1"),
    ),
    tuned=(("train_x", "train_tokens"), ("test_x", "test_tokens")),
    answer_tokens="answer_tokens",
    symmetries=(),
    probes=("constant", "canary"),
)
NONE = dict[str, Any]()
SETTINGS = ("weak", "strong", "taught", "seeds", "depth", "tokens", "fidelity", "classes", "ceiling", "normalise")
BRIEF = """\
Weak-to-strong generalisation (Burns et al. 2023) with language models: {weak} labels texts for {strong}.
The teacher is often wrong; the strong model's states contain the truth, mixed with much else. A method must elicit it from the
weak labels alone. It is scored by PGR, performance gap recovered: 0 is as good as the weak teacher, 1 is as good as the strong
model trained on true labels.

The rows of train_x and test_x are states of the strong model behind the last token of a prompt, {asked}.
In each instance the rows are others of the same texts; columns have random gains and are turned at random, new for each one, so
the axes mean nothing. Train and test ask different questions. A good method works on every domain, and knows nothing of these
texts. Answers may not depend on the order, number or company of the test rows.
"""


def from_folder(folder: Path, options: Mapping[str, Any] = NONE, name: str = NAME) -> Task:
    """Return the task of a folder that holds one folder a domain. Raises UsageError with what is wrong with the files.

    `options` are those of LmOptions. Its name holds a digest of the files, so that other texts are another task, and its
    version one of the options and of the models.
    """
    chosen, folder = options_of(LmOptions, options), folder.expanduser().resolve()
    domains, found = domains_of(folder), digests(folder)
    unknown = [domain for domain in chosen.search if domain not in domains]
    if unknown:
        raise UsageError(f"{folder} has no domain {unknown[0]!r}: the domains are {', '.join(domains)}")
    search = chosen.search or domains[:1]
    loaded = {domain: load(folder / domain) for domain in domains}
    results.read(folder)
    width = models.known_shape(chosen.strong).width
    probed = chosen.fidelity == "probe"
    settings = {key: value for key, value in asdict(chosen).items() if key in SETTINGS}
    folders = [_folder(model) for model in (chosen.weak, chosen.strong)]
    prints = [models.fingerprint(path) if path else "absent" for path in folders]
    return Task(
        name=f"{name}-{_short(found)}",
        version=f"{VERSION}-{_short([settings, prints])}",
        brief=_brief(chosen, loaded[search[0]]),
        facts={domain: fact(len(rows.train), len(rows.test), width, drawn=False) for domain, rows in loaded.items()},
        search_domains=search,
        held_out_domains=tuple(domain for domain in domains if domain not in search),
        margin=MARGIN,
        limits=PROBE if probed else FINETUNE,
        contract=PROBABILITIES if probed else TUNED,
        model="" if probed else str(folders[1] or ""),
        least_instances=4,
        grammar=GRAMMAR,
        source="fitness.tasks.lm.source:LmSource",
        notes=DEVIATIONS if "finetune" in (chosen.taught, chosen.fidelity) else (),
        patience=DAY,
        forecast="fitness.tasks.lm.cost:forecast",
        options={**asdict(chosen), "folder": str(folder), "files": found},
    )


def check(folder: Path, options: Mapping[str, Any]) -> Sequence[tuple[str, str, bool]]:
    """Return each check of each domain, by name, with a sentence, and whether it passed. Raises UsageError for bad files."""
    known = results.read(folder)
    domains = {name: load(folder / name) for name in domains_of(folder)}
    taught = {name: bool(results.teachers(known, name, len(domain.train))) for name, domain in domains.items()}
    found = [_there(options["strong"])] + ([] if all(taught.values()) else [_there(options["weak"])])
    measured = _measured(options["strong"])
    for name, domain in domains.items():
        checked = checks.check(domain, taught[name], options["tokens"], measured)
        found += [(f"{name}: {check}", sentence, passed) for check, sentence, passed in checked]
    return [*found, *(("results", sentence, True) for sentence in _told(known))]


def _told(known: Sequence[results.SeedResult]) -> list[str]:
    """Return what results say, a sentence an idea; also where they lack what PGR needs, which no instance does."""
    try:
        return [
            f"{one.idea}: PGR {one.pgr:.3f} over {one.seeds} seeds (teacher {one.weak:.3f}, ceiling {one.strong:.3f})"
            + (f"; {one.note}" if one.note else "")
            for one in results.compared(known)
        ]
    except UsageError as error:
        return [str(error)]


def _folder(name: str) -> Path | None:
    """Return the folder of a model; None for a default one that is not there: it can be forecast, and not searched on."""
    try:
        return models.folder_of(name)
    except UsageError:
        if name in models.USUAL:
            return None
        raise


def _there(name: str) -> tuple[str, str, bool]:
    """Check all of a model that can be checked before it is loaded, which may be hours from now."""
    try:
        shape = models.shape_of(name)
        models.check_weights(models.folder_of(name))
        models.padding_of(models.tokenizer_of(name))
    except UsageError as error:
        return f"model {Path(name).name}", str(error), False
    return f"model {Path(name).name}", f"{shape.layers} blocks, {shape.parameters / 1e6:,.1f} million weights", True


def _measured(name: str) -> checks.Measured | None:
    """Return what counts the tokens of prompts, None where the tokenizer cannot be loaded."""
    try:
        tokenizer = models.tokenizer_of(name)
    except UsageError:
        return None
    return lambda texts: [len(tokens) for tokens in tokenizer(list(texts))["input_ids"]]


def _short(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def _brief(options: LmOptions, domain: Domain) -> str:
    single = "which asks whether an answer is right"
    asked = single if len(domain.test.format.fields) == 2 else "which asks which of two answers is better"
    return BRIEF.format(weak=Path(options.weak).name, strong=Path(options.strong).name, asked=asked)
