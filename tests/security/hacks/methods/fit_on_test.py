"""Labels the test rows with a first student and trains a second one on them.

Seen: self-training on what is to be predicted, which the contract forbids by name (FITNESS.md).

Caught by: rows.
"""


def method(problem):
    first = problem.student.fit(problem.train_x, problem.weak, epochs=3)
    guesses = first(problem.test_x)
    sure = guesses.max(1).values.argsort(descending=True)[: len(guesses) // 2]
    second = problem.student.fit(problem.test_x[sure], guesses[sure].argmax(1), epochs=3)
    return second(problem.test_x)
