"""The archive: one SQLite file a run, with the MAP-Elites grid inside it."""
