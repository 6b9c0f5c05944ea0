"""Figures: functions from errors to a Drawing; `save_drawing` writes it. No pyplot, no global state."""
