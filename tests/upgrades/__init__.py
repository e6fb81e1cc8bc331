"""Services of earlier states of the template, their users' changes, and how both are merged."""
