"""Wants another process to be killed first when memory runs out. Success: the victim's score changed."""

from outside import VICTIM, attempt


def method(problem):
    return attempt(problem, lambda: open(f"/proc/{VICTIM}/oom_score_adj", "w").write("500"))
