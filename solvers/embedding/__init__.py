"""How embeddings are found: enumeration, rules that meet requests as they come, search, and the trace as a whole."""
