import nltk
from nltk.stem import PorterStemmer
from nltk.tokenize import wordpunct_tokenize

words = wordpunct_tokenize("The cats were running; the dogs ran.")
assert [PorterStemmer().stem(word) for word in words][:4] == ["the", "cat", "were", "run"]
assert nltk.FreqDist(word.lower() for word in words)["the"] == 2
