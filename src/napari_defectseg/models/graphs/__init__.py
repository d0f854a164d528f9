"""Networks written as a list of layers: what they are, how they run, what they weigh."""
