"""Encoders that segmentation networks of other libraries share."""
