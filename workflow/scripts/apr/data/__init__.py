"""From what a publisher ships to packed images and views of them."""
