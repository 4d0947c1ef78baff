"""What shows Sluice at work: honest model backends, and users who talk to them."""
