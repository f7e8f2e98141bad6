"""The mass-mean probe: the difference of the class means, split in the middle.

Marks and Tegmark, "The geometry of truth: emergent linear structure in large language model representations of true/false
datasets" (2023), section 5; the means are weighted by the teacher's probabilities. Whitened, it is the baseline lda.
"""

SHARPNESS = 4.0


def head(problem, x, targets, weights=None, loss=None):
    """Project on the difference of the class means; split at the median (Marks and Tegmark 2023)."""
    mass = targets if weights is None else targets * weights[:, None]
    means = mass.T @ x / mass.sum(0)[:, None]
    scores = x @ means.T
    middle, scale = scores.median(0).values, (scores[:, 1] - scores[:, 0]).std().clamp_min(1e-9)
    return lambda rows: (SHARPNESS * (rows @ means.T - middle) / scale / 2).softmax(1)


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    predictor = head(problem, train, beliefs)
    return predictor(test)
