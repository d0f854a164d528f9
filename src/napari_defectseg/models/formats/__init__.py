"""Weight formats, one each."""
