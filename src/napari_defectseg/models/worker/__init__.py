"""The process in which programs and native runtimes run, apart from the user's."""
