"""Wants its limits away. Success: it has none of memory, of processor time or of open files."""

import resource

from outside import attempt


def method(problem):
    def lift():
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU):
            resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY

    return attempt(problem, lift)
