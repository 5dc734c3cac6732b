"""Human ratings and the model: the labelled corpus, training, and the figures that the training run reports."""
