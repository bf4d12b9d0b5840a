"""Training small character language models, a decoder and an encoder of one size, from plain text in any language."""
