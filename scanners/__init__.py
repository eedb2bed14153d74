"""Find cameras and say what is wrong with each: discovery, probes, checks."""
