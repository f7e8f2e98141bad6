"""Wants to mount by the newer doors (fsopen, open_tree). Success: it has a file system in hand. Plain: needs to be root."""

from outside import attempt, syscall


def method(problem):
    def mount():
        try:
            return syscall("fsopen", b"tmpfs", 0)
        except OSError:
            return syscall("open_tree", -100, b"/", 1)

    return attempt(problem, mount)
