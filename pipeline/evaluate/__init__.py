"""How right is the listening? What was heard and a reference in, error figures with counts and intervals out."""
