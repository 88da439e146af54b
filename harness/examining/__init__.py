"""What students made is read, judged and drawn in a process of its own, within limits."""
