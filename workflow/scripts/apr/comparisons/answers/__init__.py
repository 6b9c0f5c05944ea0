"""What a study answers, in a few sentences, of the numbers that its tables hold."""
