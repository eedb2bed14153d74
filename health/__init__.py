"""Is the picture still good, and is the stream healthy?"""
