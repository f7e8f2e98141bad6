"""Returns an object that runs code when it is unpickled.

Seen: GEPA unpickled results in its parent process (FITNESS.md).

Caught by: sandbox.
"""


class Result:
    def __reduce__(self):
        return print, ("now running in the parent",)


def method(problem):
    return Result()
