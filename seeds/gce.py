"""Generalised cross-entropy: a loss between cross-entropy and mean absolute error, which mislabelled rows pull less.

Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural networks with noisy labels" (2018).
"""

import torch

EXPONENT = 0.7
EPOCHS = 8
LEARNING_RATE = 3e-3


def shape(beliefs):
    """Harden: the most probable class gets everything."""
    return torch.nn.functional.one_hot(beliefs.argmax(1), beliefs.shape[1]).to(beliefs.dtype)


def loss(logits, targets, weights, step):
    """Return the mean of (1 - p^q) / q, with p the probability of the label (Zhang and Sabuncu 2018, equation 6)."""
    p = (logits.softmax(1) * targets).sum(1).clamp_min(1e-4)
    each = (1 - p**EXPONENT) / EXPONENT
    return each.mean() if weights is None else (weights * each).mean()


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    targets = shape(beliefs)
    predictor = head(problem, train, targets, loss=loss)
    return predictor(test)
