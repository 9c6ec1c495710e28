"""Machine learning: a random forest tells irises apart.

scikit-learn is in the environment `full`; `machine_learning_lean.py` needs only `lean`.
"""

from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split

iris = load_iris()
train, test, train_kind, test_kind = train_test_split(
    iris.data, iris.target, test_size=0.3, random_state=42, stratify=iris.target
)
forest = RandomForestClassifier(n_estimators=100, random_state=42).fit(train, train_kind)

print(classification_report(test_kind, forest.predict(test), target_names=iris.target_names))
print("What the forest looks at")
for name, weight in sorted(zip(iris.feature_names, forest.feature_importances_), key=lambda pair: -pair[1]):
    print(f"  {name:<20} {weight:.2f}  {'#' * round(40 * weight)}")
