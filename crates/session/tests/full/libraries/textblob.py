# Words and sentences need nltk's corpora; sentiment does not.
from textblob import TextBlob
from textblob.en.sentiments import PatternAnalyzer

assert PatternAnalyzer().analyze("good").polarity > 0.5
assert TextBlob("abc").upper() == "ABC"
