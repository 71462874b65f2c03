"""The measurements behind what the documentation claims about speed."""
