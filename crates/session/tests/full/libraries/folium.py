import folium

place = folium.Map([38.7, -9.1])
folium.Marker([38.7, -9.1], popup="here").add_to(place)
assert "L.marker" in place.get_root().render()
