"""Service descriptions of our own: the small part of Media2 that we call, and the page that joins all of them."""
