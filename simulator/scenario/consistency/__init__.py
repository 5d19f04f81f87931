"""Whether the parts of a scenario fit together: what no single field or model can know."""
