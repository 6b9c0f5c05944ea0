"""Score tables: one row a run; made of runs, or of results that others published."""
