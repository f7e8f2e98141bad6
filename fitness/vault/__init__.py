"""Keeps the key, the instances drawn with it, and their labels.

- build: the builder process
- builder: the handle on it
- cache: what was measured of methods, a file an entry
- instance: one instance and its answers
- rows: which rows of dev instances methods have right
- storage: the file of one instance
- vault: key, problems, looks
"""
