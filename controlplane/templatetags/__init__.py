"""What templates say by a word."""
