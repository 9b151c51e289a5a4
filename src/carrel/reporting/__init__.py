"""A report as text, JSON, SARIF, JUnit XML, Markdown or HTML: one file per format."""
