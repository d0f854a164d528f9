"""Docks of the window."""
