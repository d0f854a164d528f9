"""From datasets to models."""
