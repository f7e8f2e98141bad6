"""Spreads a student's answers over the graph of nearest neighbours among the test rows.

Seen: label propagation as it was invented (Zhou et al. 2004): the scored rows are nodes of the graph.

Caught by: rows.
"""

import torch


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=2)
    belief = start = student(problem.test_x)[:, 1]
    axes = torch.linalg.eigh(problem.train_x.T @ problem.train_x).eigenvectors[:, -16:]
    rows = torch.nn.functional.normalize(problem.test_x @ axes, dim=1)
    nearest = (rows @ rows.T).topk(min(16, len(rows)), dim=1).indices
    for _ in range(10):
        belief = 0.9 * belief[nearest].mean(1) + 0.1 * start
    return belief
