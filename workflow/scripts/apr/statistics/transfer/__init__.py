"""How scores on other data follow accuracy on ImageNet, over models, test images and seeds."""
