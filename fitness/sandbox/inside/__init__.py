"""Is all code of ours that is loaded behind the walls of the sandbox.

- cuda: starts CUDA in a child
- finetune: the strong student that is a language model
- lora: a language model that is fine-tuned
- notes: the numbers that a method reports, in a block of one size
- probe: tries every wall
- recipe: how a language model is fine-tuned
- runner: one trial in one child
- serial: what would start processes works in this one
- settings: what a method set for all of torch, kept out of our arithmetic
- student: the default strong student
- walls: capabilities, rlimits, Landlock, seccomp
- zygote: the warm process that forks children
"""
