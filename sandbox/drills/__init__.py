"""Drills: what a receiver of reports, or a sender, makes of all that can happen to it; in any language."""
