"""Wants more disk than one file may have. Success: such a file."""

from outside import DISK, HOME, MARK, attempt


def method(problem):
    def fill():
        for place in (HOME, "/tmp", "/var/tmp", "/dev/shm", "/"):
            try:
                return open(f"{place}/{MARK}", "wb").write(b"x" * 4 * DISK)
            except OSError:
                continue
        return False

    return attempt(problem, fill)
