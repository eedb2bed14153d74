"""Is the picture still good: looks, references, incidents and the wall of images."""
