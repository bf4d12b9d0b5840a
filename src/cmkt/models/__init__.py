"""Speech enhancement backbones, one file each. They know nothing of transfer."""
