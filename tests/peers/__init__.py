"""Stand-ins for networks, on loopback: stateful, with the vendors' wire shapes. What they list is the truth."""
