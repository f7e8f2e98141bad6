"""Wants kernel memory in queues that stay. Success: a queue is there."""

from outside import attempt, call


def method(problem):
    return attempt(problem, lambda: call("msgget", 0, 0o1600))
