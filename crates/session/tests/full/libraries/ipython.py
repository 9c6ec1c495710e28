from IPython.display import HTML, display

display(HTML("<b>bold</b>"))
assert get_ipython().run_line_magic("pwd", "") == "/mnt/workspace"
