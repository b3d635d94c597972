"""SocialFlow: what the functions share, one package for each noun."""
