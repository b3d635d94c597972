"""Instagram, Threads and Facebook Pages."""
