"""HTTP in, domain out: one class per contract tag."""
