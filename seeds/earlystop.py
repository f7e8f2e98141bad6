"""Early stopping: one slow, strongly regularised epoch, before the student has learnt the teacher's mistakes.

Arpit et al., "A closer look at memorization in deep networks" (2017); Li, Soltanolkotabi and Oymak, "Gradient descent with
early stopping is provably robust to label noise" (2020).
"""

EPOCHS = 1
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.1


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student briefly (Li et al. 2020)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, loss=loss)


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    predictor = head(problem, train, beliefs)
    return predictor(test)
