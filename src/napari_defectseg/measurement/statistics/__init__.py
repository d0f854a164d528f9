"""Populations, lines, space, extremes, correlation: pure functions of arrays and tables."""
