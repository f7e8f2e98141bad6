"""Defines the task `scale`: one weak teacher, and students of three sizes that know more the larger they are.

- source: the instances of every size
- task: sizes, domains, where the weights are
"""
