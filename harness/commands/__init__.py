"""What each command of `harness` does, once its arguments are read."""
