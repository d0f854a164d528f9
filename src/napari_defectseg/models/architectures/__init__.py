"""Networks, one each."""
