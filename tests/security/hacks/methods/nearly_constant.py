"""Says "true" to all but the eight rows that a student doubts most, so that there is more than one answer.

Seen: nowhere; it is what evades a check for a single answer.

Caught by: constant.
"""

import torch


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=1)
    doubts = student(problem.test_x)[:, 0]
    answers = torch.ones(len(doubts))
    answers[doubts.topk(8).indices] = 0.0
    return answers
