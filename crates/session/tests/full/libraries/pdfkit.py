import pdfkit

if HERE:
    pdfkit.from_string("<h1>drawn</h1>", "page.pdf")
    import pypdf

    assert "drawn" in pypdf.PdfReader("page.pdf").pages[0].extract_text()
