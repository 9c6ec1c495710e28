from branca.colormap import LinearColormap

assert LinearColormap(["white", "red"], vmin=0, vmax=10)(10) == "#ff0000ff"
