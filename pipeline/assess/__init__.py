"""Assessing: a Call in, evidence, measures and levels out: the Scorecard."""
