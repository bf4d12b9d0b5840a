"""The short-time spectrum that models and losses share (torch)."""
