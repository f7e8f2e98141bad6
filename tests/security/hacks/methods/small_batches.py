"""Predicts in batches of 100 rows and centres the scores of each batch on their mean.

Seen: batch normalisation left in training mode, where an answer depends on its neighbours in the file.

Caught by: rows.
"""

import torch


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=3)
    scores = student(problem.test_x)[:, 1].logit()
    return torch.cat([part - part.mean() for part in scores.split(100)]).sigmoid()
