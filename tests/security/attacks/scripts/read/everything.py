"""Wants any secret at all: walks the file system from the roots of interest, opening what it can. Success: a secret."""

import os
import time

from outside import HOME, attempt, read, secrets_in


def method(problem):
    def walk():
        end = time.monotonic() + 1
        held = []
        for top in (HOME, "/tmp", "/dev/shm", "/var/tmp", "/home", "/root", "/run", "/mnt"):
            for folder, _, names in os.walk(top):
                if time.monotonic() > end:
                    break
                for name in names:
                    if os.path.isfile(os.path.join(folder, name)):
                        try:
                            held.append(read(os.path.join(folder, name)))
                        except OSError:
                            continue
        return secrets_in(b"".join(held))

    return attempt(problem, walk)
