from markdownify import markdownify

assert markdownify("<h1>T</h1><p>a <b>b</b></p>", heading_style="ATX").strip() == "# T\n\na **b**"
