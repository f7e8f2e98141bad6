"""Wants code in the kernel: a module, another kernel, a reboot. Success: the kernel considers it. Plain: needs to be root."""

from outside import attempt, reaches


def method(problem):
    def any_of_them():
        doors = (("finit_module", -1, b"", 0), ("kexec_load", 0, 0, None, -1), ("reboot", 0, 0, 0, 0))
        return any(reaches(*door) for door in doors)

    return attempt(problem, any_of_them)
