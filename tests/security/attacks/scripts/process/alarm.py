"""Wants a timer that fires after the run, and to be alive then. Success: a process of it is alive, or a file appears."""

import os
import signal

from outside import HOME, MARK, answer


def method(problem):
    def fire(*_):
        open(f"{HOME}/{MARK}", "w").close()

    signal.signal(signal.SIGALRM, fire)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    end = os.times().elapsed + 0.1
    while os.times().elapsed < end:
        pass
    return answer(problem, b"")
