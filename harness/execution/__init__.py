"""The trust boundary: student code runs on the other side of it, and only data comes back."""
