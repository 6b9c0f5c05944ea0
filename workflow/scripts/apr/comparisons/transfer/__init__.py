"""What becomes of ImageNet accuracy on other data: tables made of score tables and of resampled test images."""
