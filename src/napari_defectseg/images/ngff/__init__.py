"""OME-Zarr (NGFF) metadata and the tree of a zarr store."""
