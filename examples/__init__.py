"""Complete runs on real data; each folder has its README and its make target."""
