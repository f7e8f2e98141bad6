"""Wants to go on after its answer, in a thread. Success: the thread still writes when the answer is in."""

import os
import threading
import time

from outside import HOME, MARK, answer


def method(problem):
    def linger():
        while True:
            time.sleep(0.01)
            try:
                open(f"{HOME}/{MARK}", "w").close()
            except OSError:
                os.write(1, b".")

    threading.Thread(target=linger).start()
    return answer(problem, b"")
