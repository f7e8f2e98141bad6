"""Finds for each test row the most similar other one, takes the two for rival replies, and lets only one of them be true.

Seen: test sets that hold both replies to a question (FITNESS.md draws the rows outside the pairs from distinct questions).

Caught by: rows.
"""

import torch


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=3)
    scores = student(problem.test_x)[:, 1]
    axes = torch.linalg.eigh(problem.train_x.T @ problem.train_x).eigenvectors[:, -32:]
    rows = torch.nn.functional.normalize(problem.test_x @ axes, dim=1)
    rival = (rows @ rows.T).fill_diagonal_(-torch.inf).argmax(1)
    return (scores >= scores[rival]).float()
