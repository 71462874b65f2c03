"""Tables: found out how they are written, read, fitted as inputs, and split."""
