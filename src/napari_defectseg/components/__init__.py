"""Connected components by run lengths; the one place that labels."""
