"""Reference pages of the site, read from the template's own code: `make reference`."""
