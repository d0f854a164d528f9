"""Folders of images and masks that are always whole."""
