"""What the makers of HDF5 files write about their images: one module a kind of file."""
