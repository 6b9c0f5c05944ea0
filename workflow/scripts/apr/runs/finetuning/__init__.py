"""Pretrained models on other data: fine-tuned, or as fixed features."""
