"""What an experiment's page tells beside what is decided on: computed now and then, stored, and deciding nothing."""
