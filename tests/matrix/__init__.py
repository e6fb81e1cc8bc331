"""Every answer works, alone and beside every other answer: `make matrix`, and a part in CI."""
