"""Readers, one family of files each."""
