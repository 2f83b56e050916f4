"""A model's report as documents: the one that programs read, the model card, and the PDF."""
