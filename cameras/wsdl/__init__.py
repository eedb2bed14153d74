"""Service descriptions of our own: the small parts of Media2 and of Application Management that we call, and the page
that joins all of them.
"""
