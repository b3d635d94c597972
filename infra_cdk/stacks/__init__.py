"""The stacks: what outlives a deployment, and what is made anew by each."""
