"""Re-estimates the share of each class on the test rows, by EM, and corrects every answer with it.

Seen: adjustment to new priors (Saerens, Latinne and Decaestecker 2002), transductive in a benchmark.

Caught by: rows.
"""


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=3)
    trained, answers = student(problem.train_x).mean(0), student(problem.test_x)
    prior = trained
    for _ in range(100):
        posterior = answers * prior / trained
        posterior = posterior / posterior.sum(1, keepdim=True)
        prior = posterior.mean(0)
    return posterior
