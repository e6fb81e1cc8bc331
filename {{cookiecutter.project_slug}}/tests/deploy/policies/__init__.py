"""The policies of deploy/policies, and what they have to catch."""
