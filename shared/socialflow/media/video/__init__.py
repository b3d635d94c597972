"""Videos: read by ranges, held against what may be taken, shown in stills and previews, converted for networks."""
