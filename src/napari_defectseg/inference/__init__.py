"""From image and model to scores."""
