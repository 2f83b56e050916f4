"""What benches are made of: the files that they work on, the rivals beside the hub, the processes that they watch."""
