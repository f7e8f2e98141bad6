"""Defines the task truth: statements about the world, read by a language model that is shipped as its features.

- pool: the statements of each relation and what the model makes of them
- source: the instances of every domain
- task: relations, domains, limits
"""
