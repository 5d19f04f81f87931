"""What `electsim new` writes, as it stands; names are put in their place."""
