"""What happens to the files of the image while it is built."""
