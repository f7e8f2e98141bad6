"""Plots of a run as files for a paper, drawn with matplotlib."""
