"""Data only: the folders `encoder` and `decoder` each hold a language model, to be loaded by path."""
