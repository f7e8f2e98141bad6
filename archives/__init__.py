"""Keeps each run in one SQLite file: what was tried, what it scored and cost, and the MAP-Elites grid of every island. It knows
the nouns of judging (`fitness.nouns`) and nothing else of ours.

- archive: one run's file, read and written
- grid: equal bins, Voronoi cells, and a population without cells
- history: every offer of a method to a cell, and how the grid filled
- ledger: events, looks, model calls, experiments, the journal
- nouns: elites, placements, the records of the tables
- trials: trials as rows
- maintenance/: check, copy, merge, regrid and repair archives
- schema/: tables, views, triggers, migrations
- sqlite/: connections and typed rows
"""
