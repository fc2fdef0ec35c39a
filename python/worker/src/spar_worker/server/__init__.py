"""The HTTP server: who may ask, in which order things are done, where results wait."""
