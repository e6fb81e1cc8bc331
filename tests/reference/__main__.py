"""`make reference`: writes the reference pages anew."""

from .pages import HOME, PAGES, write

write(HOME)
print(f"Wrote {len(PAGES)} pages into docs/reference")
