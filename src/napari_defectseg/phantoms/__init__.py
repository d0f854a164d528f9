"""Synthetic pictures with exact truth."""
