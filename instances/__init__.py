"""What an instance is: validated records, their files, and the generators and importers that make them."""
