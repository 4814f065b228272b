"""A variational autoencoder on Fashion-MNIST, trained by two likelihoods of grey levels."""
