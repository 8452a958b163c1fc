"""The pages as HTML: templates, and what they are filled with."""
