import tabula

if HERE:
    from reportlab.lib import colors
    from reportlab.platypus import SimpleDocTemplate, Table

    table = Table([["name", "count"], ["tea", "3"]], style=[("GRID", (0, 0), (-1, -1), 1, colors.black)])
    SimpleDocTemplate("table.pdf").build([table])
    (frame,) = tabula.read_pdf("table.pdf", pages=1, lattice=True, force_subprocess=True)
    assert frame.to_dict("list") == {"name": ["tea"], "count": [3]}
