"""Text as a report may carry it."""

import unicodedata

# Control and format characters hide text, turn it round, or are commands to a terminal; the others belong in no file.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def plain(text: str) -> str:
    """Everything invisible but tab and line break becomes U+FFFD. What is left is valid in XML too."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\ufffd" if character not in "\t\n" and unicodedata.category(character) in _HIDDEN else character
        for character in text.replace("\r\n", "\n")
    )
