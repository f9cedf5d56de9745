"""From an STL file to figures and G-code: reading meshes, measuring, estimating, slicing. Knows no database, no web."""
