"""Vanilla weak-to-strong training: the student imitates the teacher's hard labels.

Burns, Izmailov, Kirchner, Baker, Gao, Aschenbrenner, Chen, Ecoffet, Joglekar, Leike, Sutskever and Wu,
"Weak-to-strong generalization: eliciting strong capabilities with weak supervision" (2023), section 4.1.
"""

import torch

EPOCHS = 8
LEARNING_RATE = 3e-3


def shape(beliefs):
    """Harden: the most probable class gets everything."""
    return torch.nn.functional.one_hot(beliefs.argmax(1), beliefs.shape[1]).to(beliefs.dtype)


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    targets = shape(beliefs)
    predictor = head(problem, train, targets)
    return predictor(test)
