"""Writes the page about a run: one self-contained file, or served live. Its styles and scripts lie beside the modules.

- axes: scales, ticks, labels
- charts: PGR so far, the final comparison, breadth
- findings: what was found
- grids: heat maps
- header: the outcome and key figures
- leaderboard: the table of methods
- lineage: the champion's ancestors
- markup: escaping, coloured source
- method: the page of one method
- page: the document
- parts: tables, links, bars
- search: how the search went, and the glossary
- view: what one page holds
"""
