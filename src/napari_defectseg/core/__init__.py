"""The words everything else is made of; knows nothing above itself."""
