"""A small reader of HDF5 in Python alone, for weights of foreign origin."""
