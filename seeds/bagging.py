"""Bagging: the mean of students that each saw their own bootstrap sample of the teacher's labels.

Breiman, "Bagging predictors" (1996).
"""

import torch

EPOCHS = 5
LEARNING_RATE = 3e-3
MEMBERS = 3


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)


def ensemble(head):
    """Average heads fitted on bootstrap samples (Breiman 1996)."""

    def fit(problem, x, targets, weights=None, loss=None):
        generator = torch.Generator().manual_seed(problem.seed)
        members = []
        for _ in range(MEMBERS):
            rows = torch.randint(len(x), (len(x),), generator=generator).to(x.device)
            drawn = None if weights is None else weights[rows]
            members.append(head(problem, x[rows], targets[rows], drawn, loss))
        return lambda rows: sum(member(rows) for member in members) / MEMBERS

    return fit


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    predictor = ensemble(head)(problem, train, beliefs)
    return predictor(test)
