from bs4 import BeautifulSoup

soup = BeautifulSoup("<ul><li>a<li class=x>b</ul>", "html.parser")
assert soup.select_one("li.x").get_text() == "b"
assert [item.name for item in BeautifulSoup("<p>1<p>2", "lxml").find_all("p")] == ["p", "p"]
