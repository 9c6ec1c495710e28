from wordcloud import WordCloud

cloud = WordCloud(width=100, height=50).generate("cell cell cell wall wall host")
assert max(cloud.words_, key=cloud.words_.get) == "cell" and cloud.to_image().size == (100, 50)
