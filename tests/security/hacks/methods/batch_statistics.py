"""Standardises the test rows by their own mean and spread instead of the training set's.

Seen: batch normalisation left in training mode, and adaptive batch normalisation (Li et al. 2016), which means it.

Caught by: rows.
"""


def method(problem):
    train, test = ((x - x.mean(0)) / x.std(0) for x in (problem.train_x, problem.test_x))
    return problem.student.fit(train, problem.weak, epochs=3)(test)
