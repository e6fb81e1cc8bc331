"""The operators' page. It shows the JSON documents of this port, and reads nothing else."""
