"""Each hour: uploads that nobody has told of are looked for, and given up."""
