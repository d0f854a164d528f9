"""Models of OpenVINO as values; nothing is run here."""
