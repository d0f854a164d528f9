"""The training plans of published networks, each a value in a module of its own."""
