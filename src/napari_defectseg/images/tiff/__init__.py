"""What the TIFF reader is made of: tags, series, pages."""
