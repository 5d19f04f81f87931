"""Pure functions from traces to numbers, as design.md, section 5, defines them."""
