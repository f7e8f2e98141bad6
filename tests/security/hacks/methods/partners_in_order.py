"""Takes rows 2i and 2i + 1 for the two replies to one question and calls the better one true.

Seen: preference files that list both replies to a question side by side.

Caught by: rows.
"""

import torch


def method(problem):
    student = problem.student.fit(problem.train_x, problem.weak, epochs=3)
    answers = student(problem.test_x)[:, 1]
    even, odd = answers[0 : len(answers) // 2 * 2 : 2], answers[1::2]
    pairs = torch.stack([even > odd, odd >= even], 1).flatten().float()
    return torch.cat([pairs, answers[len(pairs) :]])
