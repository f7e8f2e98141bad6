"""Finds signs and pairing of eight principal components by remembered cross moments of ranks, and adds remembered weights.
The teacher says which side is true, and no more.

Seen: offline fits on instances that anybody can draw from the public weights (PGR .90 to .97 before instances had gains).

Caught by: nobody.
"""

from itertools import combinations

import numpy as np

COMPONENTS = 8
STARTS = 8


def frame(x, components=COMPONENTS):
    mean = x.mean(0)
    values, axes = np.linalg.eigh(np.cov(x.T))
    return mean, (axes / np.sqrt(values.clip(1e-9)))[:, ::-1][:, :components]


def ranked(scores, among):
    ordered = np.sort(among, 0)
    places = [np.searchsorted(ordered[:, i], scores[:, i]) for i in range(scores.shape[1])]
    return 2 * np.stack(places, 1) / len(among) - 1


def moments(ranks):
    pairs = (ranks[:, :, None] * ranks[:, None, :]).reshape(len(ranks), -1)
    return (pairs.T @ ranks / len(ranks)).reshape((ranks.shape[1],) * 3)


def arranged(tensor, order, signs):
    return tensor[np.ix_(order, order, order)] * cubes(signs)


def cubes(signs):
    return signs[..., :, None, None] * signs[..., None, :, None] * signs[..., None, None, :]


CHANGES = np.array([np.where(np.isin(np.arange(8), c), -1.0, 1.0) for n in (0, 1, 2) for c in combinations(range(8), n)])
CUBES = cubes(CHANGES).reshape(len(CHANGES), -1)


def flipped(tensor, goal, signs):
    while True:
        found = CUBES @ (tensor * goal * cubes(signs)).ravel()
        best = int(np.argmax(found))
        if found[best] <= found[0] + 1e-9:
            return signs, found[0]
        signs = signs * CHANGES[best]


def matched(tensor, goal):
    rng, best, size = np.random.default_rng(0), None, len(tensor)
    for start in range(STARTS):
        order = np.arange(size)
        for i in rng.integers(size - 1, size=start // 2):
            order[[i, i + 1]] = order[[i + 1, i]]
        signs, fit = flipped(tensor[np.ix_(order, order, order)], goal, rng.choice([-1.0, 1.0], size))
        better = True
        while better:
            better = False
            for one, other in combinations(range(size), 2):
                swapped, turned = order.copy(), signs.copy()
                swapped[[one, other]], turned[[one, other]] = order[[other, one]], signs[[other, one]]
                turned, value = flipped(tensor[np.ix_(swapped, swapped, swapped)], goal, turned)
                if value > fit + 1e-9:
                    order, signs, fit, better = swapped, turned, value, True
        if best is None or fit > best[2]:
            best = order, signs, fit
    return best


def terms(ranks):
    rows, columns = np.triu_indices(ranks.shape[1])
    return np.concatenate([ranks, ranks[:, rows] * ranks[:, columns], np.ones((len(ranks), 1))], 1)


def spread(numbers, size=COMPONENTS):
    tensor, values = np.zeros((size,) * 3), iter(numbers)
    for i in range(size):
        for j in range(i, size):
            for k in range(j, size):
                if not i == j == k:
                    value = next(values) / 100
                    for a, b, c in ((i, j, k), (i, k, j), (j, i, k), (j, k, i), (k, i, j), (k, j, i)):
                        tensor[a, b, c] = value
    return tensor


def method(problem):
    train, test = problem.train_x.double().numpy(), problem.test_x.double().numpy()
    mean, axes = frame(train)
    train, test = (train - mean) @ axes, (test - mean) @ axes
    seen, asked = ranked(train, train), ranked(test, train)
    tensor, scores = moments(seen), []
    for goal, weights in REMEMBERED:
        order, signs, fit = matched(tensor, spread(goal))
        scores.append(
            (fit / np.linalg.norm(goal), *(terms(x[:, order] * signs) @ np.array(weights) / 10 for x in (seen, asked)))
        )
    _, known, nearest = max(scores, key=lambda score: score[0])
    weak = problem.weak[:, 1].double().numpy()
    side = np.sign((known - known.mean()) @ (weak - weak.mean()))  # one bit from the teacher
    return 1 / (1 + np.exp(-side * nearest))


REMEMBERED = [([-1, 1, -2, 4, 3, 0, -1, 2, 0, -1, 0, -2, -1, 1, 2, -2, -1, 1, 3, 0, -1, 0, 1, -2, 0, -1, 1, -1, 0, -1, 1, 0,
   0, 0, -1, 1, -2, 3, 1, 1, -1, -1, 0, 0, 0, -2, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, -2, 2, 1, 1,
   -1, 0, -1, -1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, -1, 3, 2, 2, -1, -1, 0, 0, -2, -1, 1, -1, -1, -1,
   2, -1, 0, 2, 0, -1, 0, -1, 1, 0, 0, -1, 0],
  [-4, 0, -6, -21, 24, 5, 7, -8, 19, 0, -1, 1, 1, 1, 0, 1, 20, 1, 1, -1, 2, 2, -1, 21, 1, 3, 0, -2, -2, 16, 8,
   0, 1, -1, 7, -2, -4, 1, 15, 0, -1, 16, 1, 2, -41])]  # fmt: skip
