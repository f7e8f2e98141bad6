"""Clusters the test rows with k-means and gives each cluster the mean of a student's answers in it.

Seen: contrastive clustering of representations (Burns et al. 2022), done on the rows that are scored.

Caught by: rows.
"""

import torch

CLUSTERS = 12


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=2)
    votes = student(problem.test_x)[:, 1]
    axes = torch.linalg.eigh(problem.test_x.T @ problem.test_x).eigenvectors[:, -8:]
    rows = problem.test_x @ axes
    centres = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(problem.seed))[:CLUSTERS]]
    for _ in range(20):
        member = torch.nn.functional.one_hot(torch.cdist(rows, centres).argmin(1), CLUSTERS).float()
        centres = member.T @ rows / member.sum(0)[:, None].clamp_min(1)
    return member @ (member.T @ votes / member.sum(0).clamp_min(1))
