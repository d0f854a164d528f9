"""Editing tools: pure functions that return an edit."""
