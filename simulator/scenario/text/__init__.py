"""From YAML text to plain values with lines, fields and units, and the errors that name them."""
