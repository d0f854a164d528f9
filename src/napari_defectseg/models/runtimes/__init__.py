"""Runtimes, one module each; imported in the worker process alone."""
