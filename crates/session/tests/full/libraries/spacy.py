# Trained pipelines do not come with it.
import spacy

nlp = spacy.blank("en")
nlp.add_pipe("sentencizer")
ruler = nlp.add_pipe("entity_ruler")
ruler.add_patterns([{"label": "CITY", "pattern": "Lisbon"}])
text = nlp("We went to Lisbon. It didn't rain.")
assert [entity.label_ for entity in text.ents] == ["CITY"] and len(list(text.sents)) == 2
assert "n't" in [token.text for token in text]
