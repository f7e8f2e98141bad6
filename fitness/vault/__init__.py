"""Keeps the key, the instances drawn with it, and their labels.

- build: the builder process
- builder: the handle on it
- cache: what was measured of methods, a file an entry
- instance: one instance and its answers
- marks: which rows of an instance an answer has right, as bits
- rows: the marks of methods on dev instances, and what one method adds to another
- storage: the file of one instance
- vault: key, problems, looks
"""
