"""The docks; the only room that knows napari and Qt."""
