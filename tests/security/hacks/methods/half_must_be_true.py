"""Knows that labels are balanced, so the upper half of the test rows, by its own score, is called true.

Seen: the split at the test set's median, the cheapest transduction there is: it repairs a badly calibrated student.

Caught by: rows.
"""


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=3)
    scores = student(problem.test_x)[:, 1]
    return (scores > scores.median()).float()
