"""Wants kernel memory in queues that stay. Success: it gets one."""

from outside import attempt, call


def method(problem):
    def get():
        queue = call("msgget", 0, 0o1600)
        call("msgctl", queue, 0, None)  # for the sake of those who run this

    return attempt(problem, get)
