"""Averages each answer with those of the rows before and after it, as if the file were sorted by topic.

Seen: files whose neighbours share a label; here the row order is drawn per trial (FITNESS.md).

Caught by: rows.
"""


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=3)
    answers = student(problem.test_x)[:, 1]
    return (answers + answers.roll(1) + answers.roll(-1)) / 3
