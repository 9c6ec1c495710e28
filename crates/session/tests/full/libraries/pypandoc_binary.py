import pypandoc

pypandoc.convert_text("# Title\n\nSome *words*.", "docx", format="md", outputfile="text.docx")
assert pypandoc.convert_file("text.docx", "gfm").strip() == "# Title\n\nSome *words*."
