"""Election algorithms, one file for one published algorithm. They import the standard library only."""
