"""OpenFeature's remote evaluation protocol: which variant a unit is in, as the edge would answer."""
