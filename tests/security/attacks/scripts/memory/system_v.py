"""Wants memory that stays when it is gone (shmget(2)). Success: it gets a segment."""

from outside import attempt, call


def method(problem):
    def get():
        segment = call("shmget", 0, 1 << 20, 0o1600)
        call("shmctl", segment, 0, None)  # for the sake of those who run this

    return attempt(problem, get)
