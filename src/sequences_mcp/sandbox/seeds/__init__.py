"""Who and what is there at the start. Everybody is invented; addresses are under example.com and example.org."""
