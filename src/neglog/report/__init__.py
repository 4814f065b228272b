"""Reports: what a result says (:mod:`.model`), as text, markdown, HTML with inline SVG, or JSON."""
