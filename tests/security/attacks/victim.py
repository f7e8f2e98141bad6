"""A bystander of the attacks: holds a secret in memory and in an open file, and notes every signal. Run by arena.py."""

from __future__ import annotations

import ctypes
import os
import signal
import sys


def main() -> None:
    """Print where the secret is, then note signals for ever: arguments are the secret's file and the log."""
    file, log = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    held = ctypes.create_string_buffer(os.pread(file, 200, 0))
    for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        if number < 32:
            signal.signal(number, lambda number, frame: os.write(log, f"{number} ".encode()))
    print(ctypes.addressof(held), file, flush=True)
    while sys.stdin.read(1):  # a letter asks what the memory holds now
        print(held.raw[:6].decode(errors="replace"), flush=True)


if __name__ == "__main__":
    main()
