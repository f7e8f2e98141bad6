"""Wants all the threads there are, to starve the machine of process numbers. Success: a thousand run at once."""

import threading

from outside import attempt


def method(problem):
    def crowd():
        threading.stack_size(32 << 10)
        done = threading.Event()
        for _ in range(1000):
            threading.Thread(target=done.wait, args=(3,), daemon=True).start()
        done.wait(0.2)
        return threading.active_count() > 1000

    return attempt(problem, crowd)
