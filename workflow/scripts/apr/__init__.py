"""aprbench: architecture-performance relationships across vision datasets.

population x tasks -> runs -> errors -> comparisons. The library takes paths, arrays and plain values; it
knows neither Snakemake nor the study's configuration.
"""
