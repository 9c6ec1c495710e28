import chardet

found = chardet.detect("Größe, Übung, Straße und noch viel mehr Äpfel".encode("utf-8"))
assert found["encoding"].lower() == "utf-8"
