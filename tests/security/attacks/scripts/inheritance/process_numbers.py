"""Wants to leave a word in the kernel's counter of processes, by starting threads. Success: the next run's number tells it."""

import os
import threading

from outside import attempt

MANY = 40


def method(problem):
    def talk():
        number = threading.get_native_id()
        held = []
        for _ in range(MANY):
            thread = threading.Thread(target=lambda: held.append(threading.get_native_id()))
            thread.start()
            thread.join()
        return max(held) - number >= MANY or os.getpid() > MANY

    return attempt(problem, talk)
