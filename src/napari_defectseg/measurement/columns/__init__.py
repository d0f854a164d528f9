"""Measurements, one group each."""
