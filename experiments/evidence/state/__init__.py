"""What is kept of an experiment from one tick to the next, so that a tick costs what is new.

Totals by unit, and sums by arm since each start that is in use, for the metrics of requests that add up. All are whole
numbers, so that what is kept and what is computed anew are the same to the last bit. It can be lost at any time: it is
made again from the lake, whose version it carries.
"""
