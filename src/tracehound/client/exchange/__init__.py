"""Files of whole traces: written by one store, read by another, exact to the byte."""
