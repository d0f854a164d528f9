"""Files of Keras and TensorFlow, read as data alone."""
