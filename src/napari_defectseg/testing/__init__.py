"""Test classes for those who add formats, readers, measurements."""
