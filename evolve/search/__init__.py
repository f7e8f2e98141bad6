"""The search loop: walks every candidate through the ten steps."""
