"""X-ray movies: the undisturbed surface, keyholes, melt pools and pores frame by frame, tracks."""
