"""Writes examples of a user's own data, from scikit-learn's: `python -m fitness.tasks.data.example FOLDER`.

digits/ (ten classes, npz): the teacher saw 100 images, each as 4 x 4 pixels. cancer/ (two classes, csv): the teacher saw ten
tumours, and three of thirty measurements of each.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression


def digits(folder: Path, seed: int = 0) -> None:
    """Write train.npz and test.npz: which digit is it?"""
    pixels, truth = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(truth))
    pixels, truth = pixels[order] / 16, truth[order]
    coarse = pixels.reshape(-1, 4, 2, 4, 2).mean((2, 4)).reshape(-1, 16)
    weak = LogisticRegression(max_iter=1000).fit(coarse[:100], truth[:100]).predict_proba(coarse)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "train.npz", features=pixels[100:900], weak=weak[100:900])
    np.savez(folder / "test.npz", features=pixels[900:], labels=truth[900:], teacher=weak[900:])


def cancer(folder: Path, seed: int = 0) -> None:
    """Write train.csv and test.csv: is a tumour benign?"""
    measured, truth = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(truth))
    measured, truth = measured[order], truth[order]
    few = measured[:, [1, 4, 8]]  # texture, smoothness, symmetry
    few = (few - few.mean(0)) / few.std(0)
    weak = LogisticRegression().fit(few[:10], truth[:10]).predict_proba(few)[:, 1]
    names = [f"x{i}" for i in range(measured.shape[1])]
    folder.mkdir(parents=True, exist_ok=True)
    for stem, rows, more in (
        ("train", slice(10, 240), {"weak": weak}),
        ("test", slice(240, None), {"label": truth, "teacher": weak}),
    ):
        with open(folder / f"{stem}.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*names, *more])
            writer.writerows([*row, *(column[rows][i] for column in more.values())] for i, row in enumerate(measured[rows]))


def main(arguments: list[str]) -> None:
    """Write both into a folder."""
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    digits(Path(arguments[0]) / "digits")
    cancer(Path(arguments[0]) / "cancer")


if __name__ == "__main__":
    main(sys.argv[1:])
