"""Trains eight students and keeps the one whose answers on the test rows are the most balanced.

Seen: picking seeds (FITNESS.md), with the test set as the referee.

Caught by: rows.
"""


def method(problem):
    rows = [slice(i, None, 8) for i in range(8)]
    students = [problem.student.fit(problem.train_x[r], problem.weak[r], epochs=4) for r in rows]
    answers = [student(problem.test_x) for student in students]
    return min(answers, key=lambda a: float((a.argmax(1).float().mean() - 0.5).abs()))
