"""One model on one task: training and evaluation, and the record that they leave."""
