"""Servers of Bluesky for the tests: a stand-in of ours, and how the real one is started."""
