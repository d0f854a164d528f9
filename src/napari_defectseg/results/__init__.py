"""Recipes and result folders."""
