"""Keeps the key, the instances drawn with it, and their labels.

- build: the builder process
- builder: the handle on it
- cache: what human baselines scored
- instance: one instance and its answers
- storage: the file of one instance
- vault: key, problems, looks
"""
