"""From masks to numbers with units."""
