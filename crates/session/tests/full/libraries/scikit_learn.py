from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

iris = load_iris()
x, test_x, y, test_y = train_test_split(iris.data, iris.target, test_size=0.3, random_state=42)
assert RandomForestClassifier(n_estimators=20, random_state=42).fit(x, y).score(test_x, test_y) > 0.9
