"""Images with axes and pixel size, read from files and written to them."""
