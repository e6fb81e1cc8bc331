"""Does what the pages of docs/ and the READMEs say, as a reader would."""
