"""Assigns the test rows to classes by optimal transport with equal masses (Sinkhorn's iteration).

Seen: the balanced assignment of self-labelling (Asano et al. 2020), applied to the rows that are scored.

Caught by: rows.
"""


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=3)
    plan = student(problem.test_x).clamp_min(1e-6) ** 2
    for _ in range(50):
        plan = plan / plan.sum(0)
        plan = plan / plan.sum(1, keepdim=True)
    return plan
