"""Writers, one format each."""
