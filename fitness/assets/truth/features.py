"""Extracts what the model makes of each statement: `python -m fitness.assets.truth.features [--check N]` (build only).

A row is the residual stream after one block, at the last token before the period, where the object has just been read.
"""

from __future__ import annotations

import argparse
import sys
import time
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch

from fitness.assets.truth.smollm2 import SmolLM2, find
from fitness.assets.truth.statements import Statement, read
from fitness.registry import UsageError

FILE = Path(__file__).with_name("features.npz")
BLOCK = {"number_words": 10, "letters": 10, "city_continents": 10, "continents": 10, "elements": 18}
USUAL = 15  # of cities, so of the relations too to which what was learnt of cities is carried over
BATCH = 64  # statements of one length
IDENTICAL, STEPS = 0.99, 2  # of a rebuild: share of equal float16 values, and steps of float16 between any two
SAY_EVERY = 4  # seconds


@dataclass(frozen=True, eq=False)
class Features:
    """What the model makes of n statements.

    Attributes:
        residual: (n, width) float16, the residual stream.
        log_likelihood: (n,) float32, of the whole statement, in nats.
        tokens: (n,) int64, how many that is the likelihood of.
    """

    residual: np.ndarray
    log_likelihood: np.ndarray
    tokens: np.ndarray


def extract(model: SmolLM2, statements: Sequence[Statement]) -> Features:
    """Read statements, those of one length together, and say how far it has come."""
    encoded = [model.encode(statement.text) for statement in statements]
    width = model.hidden(torch.tensor([encoded[0][:1]]))[0].shape[2]
    made = Features(
        np.empty((len(statements), width), np.float16),
        np.empty(len(statements), np.float32),
        np.array([len(tokens) - 1 for tokens in encoded]),
    )
    began = said = time.monotonic()
    done = 0
    for rows in _batches(encoded):
        tokens = torch.tensor([encoded[row] for row in rows])
        stream = model.hidden(tokens)
        for place, row in enumerate(rows):
            made.residual[row] = stream[BLOCK.get(statements[row].relation, USUAL)][place, -2].numpy()
        made.log_likelihood[rows] = model.log_likelihood(stream[-1], tokens).numpy()
        done += len(rows)
        if time.monotonic() - said > SAY_EVERY:
            said = time.monotonic()
            print(f"{done:,} of {len(statements):,} statements in {said - began:.0f} s", file=sys.stderr, flush=True)
    return made


def _batches(encoded: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    by_length = defaultdict[int, list[int]](list)
    for row, tokens in enumerate(encoded):
        by_length[len(tokens)].append(row)
    for _, rows in sorted(by_length.items()):
        for start in range(0, len(rows), BATCH):
            yield rows[start : start + BATCH]


def load(file: Path = FILE) -> Features:
    """Return the features that are shipped, in the order of the statements. Raises UsageError when they cannot be read."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return Features(**{field.name: arrays[field.name] for field in fields(Features)})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise UsageError(f"{file} is missing or damaged ({error}): take it from the repository again") from error


def compare(model: SmolLM2, sample: int, seed: int = 0) -> Mapping[str, float]:
    """Extract a sample of statements anew, and return how its float16 values differ from those that are shipped."""
    statements, shipped = read(), load()
    rows = np.sort(np.random.default_rng(seed).permutation(len(statements))[:sample])
    anew = extract(model, [statements[row] for row in rows])
    one, other = anew.residual, shipped.residual[rows]
    steps = np.abs(one.astype(np.float64) - other.astype(np.float64)) / np.spacing(np.maximum(np.abs(one), np.abs(other)))
    return {
        "identical": float((one == other).mean()),
        "steps": float(steps.max()),
        "nats": float(np.abs(anew.log_likelihood - shipped.log_likelihood[rows]).max()),
    }


def main() -> None:
    """Write features.npz beside this file; or compare a sample, and exit 1 where it differs by more than arithmetic may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=int, metavar="N", help="extract N statements anew and compare them")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = SmolLM2(find())
    if arguments.check:
        found = compare(model, arguments.check)
        print(f"{arguments.check} statements: {found['identical']:.2%} of the float16 values are identical, the others differ ")
        print(f"by at most {found['steps']:.0f} steps of float16; log-likelihoods by at most {found['nats']:.1e} nats")
        sys.exit(int(found["identical"] < IDENTICAL or found["steps"] > STEPS))
    began = time.process_time()
    made = extract(model, read())
    np.savez_compressed(FILE, **{field.name: getattr(made, field.name) for field in fields(Features)})
    size, seconds = FILE.stat().st_size / 1e6, time.process_time() - began
    print(f"{FILE.name}: {len(made.tokens):,} statements, {size:.1f} MB, {seconds:.0f} CPU-s")


if __name__ == "__main__":
    try:
        main()
    except UsageError as error:
        sys.exit(str(error))
