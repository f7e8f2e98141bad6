"""Train on the half of each class that the teacher is most confident of.

The human best in "Automated alignment researchers" (Anthropic, 2026), on its chat domain; the idea is pseudo-label
selection by confidence: Lee, "Pseudo-label" (2013).
"""

import torch

FRACTION = 0.5
EPOCHS = 8
LEARNING_RATE = 3e-3


def select(beliefs):
    """Keep the most confident fraction of each predicted class (Anthropic 2026)."""
    confidence, predicted = beliefs.max(1)
    kept = []
    for c in range(beliefs.shape[1]):
        rows = torch.where(predicted == c)[0]
        best = confidence[rows].argsort(descending=True, stable=True)
        kept.append(rows[best[: int(FRACTION * len(rows))]])
    return torch.cat(kept)


def shape(beliefs):
    """Harden: the most probable class gets everything."""
    return torch.nn.functional.one_hot(beliefs.argmax(1), beliefs.shape[1]).to(beliefs.dtype)


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    rows = select(beliefs)
    targets = shape(beliefs[rows])
    predictor = head(problem, train[rows], targets)
    return predictor(test)
