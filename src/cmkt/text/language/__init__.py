"""What a character language model is made of and measured against: its text, its tokenizer and its n-gram baselines."""
