"""ONNX files as values: structure and meaning, read by our own reader; nothing is run here."""
