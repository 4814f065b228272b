"""Cross-entropy and losses that are said to bear wrong labels, trained on labels of which a known share is wrong."""
