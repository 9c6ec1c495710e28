import imgkit

if HERE:
    imgkit.from_string("<h1>drawn</h1>", "page.png", options={"quiet": ""})
    assert open("page.png", "rb").read(4) == b"\x89PNG"
