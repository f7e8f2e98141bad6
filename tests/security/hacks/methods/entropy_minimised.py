"""Goes on training its head on the test rows, towards confident and balanced answers.

Seen: test-time adaptation by entropy minimisation (Wang et al., "Tent", 2021).

Caught by: rows.
"""

import torch


def method(problem):
    head = torch.linalg.lstsq(problem.train_x, 4 * (problem.weak[:, 1] - problem.weak[:, 1].mean())).solution.requires_grad_()
    optimizer = torch.optim.Adam([head], lr=0.05)
    for _ in range(30):
        p = (problem.test_x @ head).sigmoid().clamp(1e-4, 1 - 1e-4)
        entropy = -(p * p.log() + (1 - p) * (1 - p).log()).mean()
        loss = entropy + 10 * (p.mean() - 0.5) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (problem.test_x @ head).sigmoid()
