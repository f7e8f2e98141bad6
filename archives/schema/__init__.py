"""Defines what an archive looks like, and brings files of earlier versions up to date.

- first: tables and views of the first version
- migrations: every change since then
- readme: the table README, for other tools
- totals: running totals, kept by triggers
- version: which schema a file has
"""
