"""Reporting: scorecards in, pages out."""
