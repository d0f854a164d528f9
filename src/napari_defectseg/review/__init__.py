"""What a person should look at next, what differs, and what a random sample says."""
