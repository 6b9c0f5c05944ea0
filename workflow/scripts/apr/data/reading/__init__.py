"""What the readers of all formats share: walking folders, tables of labels, parts, groups and checks."""
