"""Is all code of ours that is loaded behind the walls of the sandbox.

- cuda: starts CUDA in a child
- probe: tries every wall
- runner: one trial in one child
- student: the default strong student
- walls: capabilities, rlimits, Landlock, seccomp
- zygote: the warm process that forks children
"""
