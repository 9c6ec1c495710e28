"""What agents write in JavaScript and TypeScript, as cases; `test_javascript` runs each over every edge of the server."""
