"""Reports of results, and their objects in the forms of other programs."""
