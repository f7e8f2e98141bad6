"""Soft labels: the student imitates the teacher's probabilities, not its decisions.

Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015).
"""

EPOCHS = 8
LEARNING_RATE = 3e-3


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    predictor = head(problem, train, beliefs)
    return predictor(test)
