"""Two live canaries with simulated users, through the public API and the edge alone."""
