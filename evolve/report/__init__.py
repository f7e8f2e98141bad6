"""Writes what an archive holds as a page, as text, as plots and as method files.

- export: methods as files
- heartbeat: no display is silent for long
- html/: the page
- live: the page, served on this machine
- markdown: the report as text
- plots/: pictures for a paper
- progress: a run while it works
- streams: standard output as it is where we are
"""
