"""What people typed, as part of a text."""

ENDS = (".", "!", "?", "…")


def ended(sentence: str) -> str:
    """A sentence with its full stop; nothing stays nothing.

    >>> ended("Users complain"), ended("Why?"), ended("")
    ('Users complain.', 'Why?', '')
    """
    return f"{sentence}." if sentence and not sentence.endswith(ENDS) else sentence
