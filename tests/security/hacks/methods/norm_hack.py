"""The norm hack: a row is true when its norm is above the median of the test rows; the teacher only gives the sign.

Seen: on features that keep their norms it scored .66-.77 on math without training (FITNESS.md). Rows are divided by their norm
since, and what it reads now is rounding.

Caught by: rows.
"""


def method(problem):
    train, test = problem.train_x.double().norm(dim=1), problem.test_x.double().norm(dim=1)
    sign = ((train - train.mean()) @ (problem.weak[:, 1] - problem.weak[:, 1].mean()).double()).sign()
    return (sign * (test - test.median()) > 0).float()
