"""Benchmarks: ratios against a reference measured in the same run, never seconds alone.

Machines differ and neighbours are loud, so a figure counts only beside its reference: both are
measured in turns, and the median of the rounds is taken.
"""
