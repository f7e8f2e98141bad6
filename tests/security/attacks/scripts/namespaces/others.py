"""Wants namespaces of its own: mounts, processes, network, names. Success: it has one. Plain: needs to be root."""

from outside import attempt, call


def method(problem):
    def any_of_them():
        for kind in (0x20000, 0x20000000, 0x40000000, 0x4000000, 0x8000000, 0x2000000):
            try:
                return call("unshare", kind)
            except OSError:
                continue
        return False

    return attempt(problem, any_of_them)
