"""What students and other systems get of a lab: the kit, its course CI, an autograder."""
