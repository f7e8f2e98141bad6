"""Wants its memory on disk: dies of a fault, with no limit on the size of a core. Success: the limit is gone."""

import resource

from outside import attempt


def method(problem):
    def lift():
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        return resource.getrlimit(resource.RLIMIT_CORE)[0] not in (0, 1)

    return attempt(problem, lift)
