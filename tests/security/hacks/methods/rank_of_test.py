"""Answers with each row's rank among the test rows instead of its probability.

Seen: rank averaging, a usual last step of leaderboard ensembles, transductive wherever .5 has a meaning.

Caught by: rows.
"""


def method(problem):
    mean = problem.train_x.mean(0)
    pull = (problem.train_x - mean).T @ (problem.weak[:, 1] - problem.weak[:, 1].mean())
    scores = (problem.test_x - mean) @ pull
    return scores.argsort().argsort().float() / (len(scores) - 1)
