"""Which files are programs, and which of them a person trusted."""
