"""Listening: a recording or a transcript file in, a Call out: who said what when."""
