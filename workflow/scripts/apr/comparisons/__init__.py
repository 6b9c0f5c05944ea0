"""Tables made of score tables."""
