"""Units whose rows are erased: asked for by an admin, carried out by a worker."""
