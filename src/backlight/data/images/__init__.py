"""Images: found, labelled, decoded once, and kept as uint8."""
