"""Pictures of results: one Vega-Lite spec a module, drawn as SVG. Pure: plain data in, text out."""
