"""From a YAML file to a validated, frozen scenario."""
