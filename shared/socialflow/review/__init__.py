"""Reviews: a person decides about a media item and one version of its caption."""
