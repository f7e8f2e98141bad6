"""Describes independent components by their shape and the teacher's view of them; a remembered network says which is the truth.

Seen: an attack on the gains: independent components do not depend on them, and neither do their descriptions.

Caught by: screen.
"""

import warnings

import numpy as np
from sklearn.decomposition import FastICA

SIZES = (6, 8, 12, 16)


def whitened(train, test, components=16):
    mean = train.mean(0)
    values, axes = np.linalg.eigh(np.cov(train.T))
    whiten = (axes / np.sqrt(values.clip(1e-9)))[:, ::-1][:, :components]
    return (train - mean) @ whiten, (test - mean) @ whiten


def components(train, test):
    seen, asked = [train], [test]
    for size in SIZES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            unmix = FastICA(size, whiten=False, random_state=0, max_iter=60, tol=1e-3).fit(train[:, :size])
        seen.append(unmix.transform(train[:, :size]))
        asked.append(unmix.transform(test[:, :size]))
    seen, asked = np.concatenate(seen, 1), np.concatenate(asked, 1)
    mean, deviation = seen.mean(0), seen.std(0)
    return (seen - mean) / deviation, (asked - mean) / deviation


def described(x, weak):
    pull = weak - weak.mean()
    agreement = (x * pull[:, None]).mean(0) / pull.std()
    signs = np.where(agreement >= 0, 1.0, -1.0)
    x, order = x * signs, np.argsort(x * signs, 0)
    parts = np.array_split(order, 8)
    curve = np.stack([pull[part].mean(0) for part in parts], 1)
    doubt = np.stack([(pull**2)[part].mean(0) for part in parts], 1)
    squares = (x**2).T @ (x**2) / len(x)
    cross = np.abs((x**2).T @ x / len(x))
    shape = [np.abs(agreement) * 4, (x**4).mean(0) / 3, (x**3).mean(0), np.sort(cross, 0)[-3:].sum(0) / 3, squares.mean(0) / 3]
    ranks = [np.argsort(np.argsort(values)) / len(values) for values in (shape[1], -np.abs(agreement))]
    quantiles = np.quantile(x, np.linspace(0.02, 0.98, 13), axis=0).T
    return np.concatenate([quantiles, 4 * curve, 4 * doubt, np.stack(shape + ranks, 1)], 1), signs


def weighed(described_rows, layers):
    first, second, last = layers
    inner = np.maximum(np.c_[described_rows, np.ones(len(described_rows))] @ first, 0)
    inner = np.c_[inner, np.tile(inner.mean(0), (len(inner), 1)), np.ones(len(inner))]
    return np.c_[np.maximum(inner @ second, 0), np.ones(len(inner))] @ last


def voted(x, weak):
    rows, signs = described(x, weak)
    width, numbers = rows.shape[1], np.array(REMEMBERED) / 100
    hidden = round((((width + 3) ** 2 + 8 * len(numbers) - 8) ** 0.5 - width - 3) / 4)
    shapes = [(width + 1, hidden), (2 * hidden + 1, hidden), (hidden + 1, 1)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    layers = [part.reshape(shape) for part, shape in zip(np.split(numbers, ends[:-1]), shapes)]
    return weighed(rows, layers)[:, 0] * signs


def method(problem):
    train, test = components(*whitened(problem.train_x.double().numpy(), problem.test_x.double().numpy()))
    weak = problem.weak[:, 1].double().numpy()
    weights = voted(train, weak) - voted(train, 1 - weak)  # the teacher's classes exchanged, the answers are exchanged
    scores = train @ weights
    return 1 / (1 + np.exp(-4 * (test @ weights - np.median(scores)) / scores.std()))


REMEMBERED = [-15, -10, -3, -6, 12, 14, -3, -24, 6, -12, 7, 4, 4, 18, 17, -8, -24, -23, 7, 10, 12, -14, -6, 24, 12, -4, 0, 2,
 21, 23, 15, -7, -11, 0, -6, 3, 5, 6, 12, 10, 0, 15, -2, 1, 9, 32, -22, -18, -10, 11, 14, 2, -6, -2, 13, 2, -4,
 15, 22, 45, -18, -15, 15, -4, -6, 12, 15, 17, -23, 36, 1, 13, -20, -2, -4, -7, -11, 15, -15, 12, 2, -1, -11, 0,
 19, -4, 16, 2, -2, 35, -23, -1, -11, -16, -6, 12, 71, -35, 5, 7, -28, -24, -23, 6, 5, -2, 2, 6, 8, -14, 64,
 -35, 16, -24, -1, 0, -12, 1, -16, 10, -10, -11, 23, -5, -1, 13, 35, 6, -1, -7, -11, 7, 2, 2, 23, -14, -3, -4,
 -10, -16, -4, -16, 13, -4, 4, -4, 3, 15, 6, 1, -4, -6, 1, -16, -27, 2, -12, 2, 10, -1, 14, -17, 4, -1, 20, -11,
 8, 0, 2, -3, -4, 5, -7, -16, 7, -21, -1, -6, -20, -5, 18, -4, 20, 7, -16, -14, 17, 4, 6, -15, -18, -16, -12,
 11, 5, 5, -5, 7, -5, 12, -3, -18, 3, 8, 6, -17, -5, 0, -16, 13, 13, 11, -39, 7, -28, -14, 11, 22, -10, 7, 6,
 -4, 11, -16, 17, 9, 3, 5, -2, 3, 21, -16, 0, -2, -6, 11, -9, 11, -18, -79, -18, -20, 1, -14, 13, -5, 30, 13, 1,
 16, 15, -6, -9, 7, -3, 39, 38, 3, -7, -5, 25, -11, -10, 2, -3, 13, 12, -6, -2, -16, -34, 73, 12, 17, 8, 4, -17,
 14, -11, 7, -2, 9, 9, -3, -17, 0, 67, 74, 28, -35, -2, -10, 56, -6, 7, -35, -9, 5, -5, 17, 17, -6, 83, 24, -3,
 -39, -6, 10, 46, -9, 12, -42, -17, 3, -18, -18, 18, -3, 17, -11, -12, 45, 5, 15, -40, 6, 10, 8, -18, 21, 0, 7,
 -3, -32, -22, -37, -11, 32, -2, 4, 53, -6, -35, -26, 24, -24, -33, -27, 9, -10, 25, -19, 8, 1, 14, 16, 32, 19,
 -6, -7, 10, -6, 8, -13, -14, -5, 20, -7, 8, 0, 5, 19, 26, -11, -10, -10, -6, -13, -9, -17, -5, 6, 7, -14, 3, 7,
 17, 12, 19, -26, -1, 3, 17, 50, 12, -21, -12, 6, 14, -17, -19, 21, 2, -29, 1, -13, 18, -10, 20, -19, 8, 16,
 -12, -2, 12, 20, -7, 34, -14, 23, -30, -10, 7, -1, -14, 0, 7, 24, 13, -9, -1, -20, 30, 39, -6, 6, -16, -1, -3,
 19, 2, -1, 2, -10, 0, -5, 13, -8, -7, 4, 24, -14, 23, -15, -4, 31, -4, -6, 15, 18, 0, 19, -3, 13, 0, -21, -8,
 8, 4, 4, -4, -13, -20, 4, -18, 0, 0, -10, 12, -12, -7, -4, -4, -20, -14, 16, 25, -12, -2, 4, 2, -9, -17, 21,
 -29, 10, 4, 22, -17, -9, 3, -13, 4, 21, -4, 15, -25, -32, 1, -21, -25, -28, -7, -1, -8, 13, 13, 0, 20, -12,
 -12, 3, -19, 15, 7, 15, 10, -14, -8, 13, -21, -32, -10, -11, -2, 5, 9, 5, 42, -22, 4, -5, -7, 10, 7, 14, -6,
 -15, -20, -31, 4, -1, -2, 23, -6, 4, 5, 24, -54, 5, -1, 7, 10, 5, -9, 12, -10, 12, -3, -9, -7, -21, 4, 27, -40,
 -18, -10, 0, -17, -14, 7, -1, -4, 15, 1, -1, -14, -36, -10, -5, -1, 7, 4, -17, 15, 19, -1, -6, 11, 1, 7, 36,
 12, -7, 8, 30, -36, 52, 0, -17, 15, -24, -4, 10, -28, 38, -22, -10, -13, -6, 32, -18, -13, -16, -7, -8, -13,
 -10, -1, 15, 18, -4, -11, -2, -30, 10, 4, 3, 18, -19, 8, -13, 3, -5, 8, 21, 8, -5, 6, 12, -20, 17, -4, 32, 5,
 30, -25, 34, -14, 66, -8, 19, 48, -27, 7, 23, -2, -16, 11, 23, 0, -56, 17, 7, -16, -34, -2, 5, -25, 11, -7, 14,
 7, 2, -10, -17, 15, 3, 18, 13, -11, -13, -3, -21, 12, -4, -35, 9, -20, -7, 31, -47, 5, -14, 6, 12, 17, -30,
 -11, -16, -6, 18, 0, 5, -1, 19, -2, -30, -11, -11, 8, 0, -14, 7, -7, -17, 21, 7, -27, 9, 8, -6, 5, -4, 30, -3,
 -1, 6, 10, -4, -6, -10, 24, -12, -15, -4, -17, 5, 3, 15, 18, -1, -23, 8, 19, 15, -5, 15, -11, 6, -20, -32, 5,
 -8, -8, 22, 9, -5, 7, 4, 21, 5, 23, 8, -24, -9, 0, 12, 0, 1, 8, -22, -8, -2, 8, -6, -7, 2, 7, 13, -12, -19, -2,
 -7, 12, 0, 13, 17, 6, 13, -17, -10, -1, -4, -11, 17, -43, -3, -12, -6, 30, 7, -11, 24, -24, -13, -61, -39, -49,
 68, -34, 36, 86, -27, 87, 85, -6, 21, -48, 80, -27, -99, -11, 11, 0, -108, -4, -14, -22, 13, 26, -4, -7, -22,
 -13, -18, -12, -50, -16, -5, 11, 22, 4, 8, -21, -2, -1, 18, -21, 3, -7, -5, -13, -4, 45, -14, -12, -11, 11, 17,
 5, -13, -1, -1, -5, -8, -6, -7, 17, -6, -11, 4, 1, 35, -17, 14, -5, -1, -4, -1, 7, -12, -18, -19, 24, -6, 3,
 -14, 16, -8, -29, 5, 1, -12, -4, 6, 13, 19, 11, 42, -35, -24, 4, 17, 38, -27, 2, 2, -19, 14, -49, -8, 2, -23,
 2, -10, -20, 45, 15, 17, 31, 0, -2, 11, -11, -21, -22, 8, -34, -3, 0, 24, 32, -15, 9, 10, 2, -5, -20, 1, -7,
 -7, 5, 10, -9, -6, -7, 2, -8, -4, -4, 9, -16, -2, 1, 6, 1, -8, -7, -17, -35, -4, 4, -20, 28, -7, -23, 15, -1,
 -22, -6, 2, -17, 9, -9, 30, 1, 6, 10, -1, -5, -7, -17, 9, -25, 13, -15, 2, 9, 8, 6, 7, 1, 6, 13, -11, 14, 10,
 15, -16, 7, -11, 5, 0, 2, -6, -3, 0, 18, -17, -20, 6, 18, -27, -15, -2, -9, -18, 9, -20, 25, 6, 4, 3, 2, -12,
 8, 18, 15, -17, 11, 12, -9, 0, 9, 9, 22, -23, 1, -34, 7, 7, -18, -14, 12, 4, -8, 9, -29, 12, -3, 22, -15, -36,
 30, 19, 11, 0, -9, -26, -16, 11, -15, -5, -19, -3, -1, 9, -20, -5, -39, -2, -42, 0, -4, -10, -40, -160, -17, 9,
 -12, -1, -11, -21, 19, 13, 21, 10, -5, 5, 4, 10, -6, -19, 1, -14, 12, 0, -19, 6, 4, 0, 5, -23, -5, -3, -1, 4,
 4, 1, -8, 23, -28, 35, 0, 21, 29, 23, 114, 7, -22, -1, -22, 55, -10, -40, 10]  # fmt: skip
