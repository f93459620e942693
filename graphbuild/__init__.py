"""graphbuild: declarative neural network architectures for PyTorch."""
