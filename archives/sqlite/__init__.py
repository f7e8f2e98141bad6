"""Reads and writes one SQLite file, which may be a stranger's.

- connection: transactions and queries, bounded
- library: sqlite-utils without pandas and numpy
- place: what may be written where, and who may read it
- typed: typed values out of rows
"""
