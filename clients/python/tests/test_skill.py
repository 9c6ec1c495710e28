"""Every example and every pattern of the skill that agents bring along, as it is written there, through boto3.

What comes back is checked for what it says: rows, sums, pixels. Examples that need a library of the environment `full`
are skipped, aloud, where the server has a smaller one.
"""

import json
import math
import re

from . import kit
from .tools import Tools

DESCRIBE = (
    "import pandas as pd\ndf = pd.DataFrame({'A': [1,2,3], 'B': [4,5,6]})\nprint(df.describe())"
)
SINE = (
    "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nimport numpy as np\n"
    "x = np.linspace(0, 10, 100)\nplt.figure(figsize=(10,6))\nplt.plot(x, np.sin(x))\nplt.title('Sine Wave')\n"
    "plt.savefig('sine.png', dpi=300, bbox_inches='tight')\nprint('Done')"
)

ANALYSIS = '''import pandas as pd
import numpy as np

df = pd.DataFrame({
    'date': pd.date_range('2024-01-01', periods=100),
    'revenue': np.random.normal(1000, 200, 100),
    'costs': np.random.normal(700, 150, 100),
})
df['profit'] = df['revenue'] - df['costs']

print("=== Summary Statistics ===")
print(df.describe())
print(f"\\nTotal Profit: ${df['profit'].sum():,.2f}")
print(f"Profit Margin: {df['profit'].mean() / df['revenue'].mean() * 100:.1f}%")
'''

DASHBOARD = '''import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np

fig, axes = plt.subplots(2, 2, figsize=(14, 10))

categories = ['Q1', 'Q2', 'Q3', 'Q4']
values = [120, 150, 180, 210]
axes[0,0].bar(categories, values, color='#2196F3')
axes[0,0].set_title('Quarterly Revenue')

x = np.linspace(0, 10, 50)
axes[0,1].plot(x, np.sin(x), 'b-', linewidth=2)
axes[0,1].set_title('Trend')

sizes = [35, 30, 20, 15]
axes[1,0].pie(sizes, labels=['A','B','C','D'], autopct='%1.1f%%')
axes[1,0].set_title('Market Share')

x = np.random.normal(50, 10, 200)
y = x * 1.5 + np.random.normal(0, 15, 200)
axes[1,1].scatter(x, y, alpha=0.5, c='#FF5722')
axes[1,1].set_title('Correlation')

plt.tight_layout()
plt.savefig('dashboard.png', dpi=300, bbox_inches='tight')
print('Dashboard saved')
'''

LEARNING = '''from sklearn.model_selection import train_test_split
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import classification_report
from sklearn.datasets import load_iris

iris = load_iris()
X_train, X_test, y_train, y_test = train_test_split(
    iris.data, iris.target, test_size=0.3, random_state=42
)

model = RandomForestClassifier(n_estimators=100, random_state=42)
model.fit(X_train, y_train)
y_pred = model.predict(X_test)

print(classification_report(y_test, y_pred, target_names=iris.target_names))
'''

SQL = '''import duckdb
import pandas as pd

orders = pd.DataFrame({
    'order_id': range(1, 101),
    'customer': [f'Customer_{i%20}' for i in range(100)],
    'amount': [round(50 + i * 3.5, 2) for i in range(100)],
})

result = duckdb.sql("""
    SELECT customer, COUNT(*) as cnt, ROUND(SUM(amount), 2) as total
    FROM orders GROUP BY customer
    HAVING COUNT(*) >= 3 ORDER BY total DESC LIMIT 10
""").df()
print(result.to_string(index=False))
'''

FETCH = '''import requests
import pandas as pd

response = requests.get("https://api.example.com/data")
data = response.json()
df = pd.DataFrame(data)
print(df.head())
'''


class Skill(kit.TestCase):
    def setUp(self):
        self.tools = Tools(self.session())

    def needs(self, module):
        found = self.tools.session.code(f"import importlib.util\nprint(importlib.util.find_spec({module!r}) is not None)")
        if found != "True":
            self.skipTest(f"SKIPPED: only the environment `full` has {module}")

    def test_example_of_text(self):
        out = self.tools.execute_code(**{"code": DESCRIBE, "language": "python"})
        rows = {line.split()[0]: [float(word) for word in line.split()[1:]] for line in out.splitlines()[1:]}
        self.assertEqual(out.splitlines()[0].split(), ["A", "B"])
        self.assertEqual(rows["count"], [3, 3])
        self.assertEqual(rows["mean"], [2, 5])
        self.assertEqual(rows["std"], [1, 1])
        self.assertEqual(rows["75%"], [2.5, 5.5])

    def test_example_of_a_chart(self):
        told = json.loads(self.tools.execute_code(code=SINE, language="python", output_filename="sine.png"))
        self.assertRegex(told["content"][0]["text"], r"^Code executed\. File saved: sine\.png \(\d+\.\d KB\)\n\nstdout:\nDone$")
        self.assertEqual(told["content"][1]["image"]["format"], "png")
        width, height = kit.drawn(self.tools.store["documents/user/chat/image/sine.png"])
        # Ten inches by six at 300 dots, cut to what is drawn.
        self.assertTrue(2400 < width < 3000 and 1500 < height < 1800, (width, height))

    def test_example_of_an_installation(self):
        told = json.loads(self.tools.execute_command("pip install yfinance"))
        self.assertEqual(told["status"], "error")
        self.assertIn("Could not find a version that satisfies the requirement yfinance", told["error"])

    def test_example_of_the_environment(self):
        out = self.tools.execute_command("python --version && pip list | head -20")
        lines = out.splitlines()
        self.assertRegex(lines[0], r"^Python 3\.\d+\.\d+$")
        self.assertEqual(lines[1].split(), ["Package", "Version"])
        # pip itself may add a line about the pipe that `head` has closed.
        self.assertTrue(all(re.match(r"\S+ +\d\S*$", line) for line in lines[3:21]) and len(lines) >= 21, out)

    def test_examples_of_files(self):
        self.assertEqual(
            self.tools.file_operations(
                **{"operation": "write", "content": [{"path": "config.json", "text": '{"key": "value"}'}]}
            ),
            "Written: config.json",
        )
        listed = json.loads(self.tools.file_operations(**{"operation": "list", "paths": ["."]}))
        self.assertEqual(listed, [{"name": "config.json", "type": "file", "size": 16}])
        self.tools.execute_code("open('output.csv', 'w').write('a,b\\n1,2\\n')")
        # A file's text comes in a resource, where this reader does not look.
        self.assertEqual(self.tools.file_operations(**{"operation": "read", "paths": ["output.csv"]}), "(empty)")
        self.assertEqual(self.tools.session.read("output.csv"), "a,b\n1,2\n")
        self.assertEqual(json.loads(self.tools.session.read("config.json")), {"key": "value"})

    def test_examples_of_pushing(self):
        self.tools.execute_code(
            "from PIL import Image\nImage.new('RGB', (40, 30), 'red').save('chart.png')\nopen('results.json', 'w').write('[1]')"
        )
        told = json.loads(self.tools.ci_push_to_workspace(paths=["chart.png", "results.json"]))
        self.assertEqual(told, {"files_saved": ["image/chart.png"], "count": 1, "status": "ok"})
        self.assertEqual(kit.png(self.tools.store["documents/user/chat/image/chart.png"])[:2], (40, 30))
        self.assertEqual(json.loads(self.tools.ci_push_to_workspace())["files_saved"], ["image/chart.png"])

    def test_pattern_1_data_analysis(self):
        out = self.tools.execute_code(ANALYSIS)
        self.assertTrue(out.startswith("=== Summary Statistics ==="), out)
        total = float(re.search(r"^Total Profit: \$([\d,.]+)$", out, re.M)[1].replace(",", ""))
        margin = float(re.search(r"^Profit Margin: ([\d.]+)%$", out, re.M)[1])
        told = self.tools.session.code("print(repr(float(df['profit'].sum())), df.shape, float(df['revenue'].sum()))")
        profit, rows, columns, revenue = re.match(r"([\d.]+) \((\d+), (\d+)\) ([\d.]+)", told).groups()
        self.assertEqual((rows, columns), ("100", "4"))
        self.assertTrue(math.isclose(total, float(profit), abs_tol=0.01), (total, profit))
        self.assertTrue(math.isclose(margin, float(profit) / float(revenue) * 100, abs_tol=0.06), margin)

    def test_pattern_2_visualization(self):
        told = json.loads(self.tools.execute_code(DASHBOARD, output_filename="dashboard.png"))
        self.assertIn("stdout:\nDashboard saved", told["content"][0]["text"])
        width, height = kit.drawn(self.tools.store["documents/user/chat/image/dashboard.png"])
        self.assertTrue(3900 < width < 4300 and 2700 < height < 3100, (width, height))

    def test_pattern_3_machine_learning(self):
        self.needs("sklearn")
        out = self.tools.execute_code(LEARNING)
        rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}
        # The split and the forest are seeded: every flower of the test set is told rightly.
        self.assertEqual(rows["setosa"], ["1.00", "1.00", "1.00", "19"])
        self.assertEqual(rows["accuracy"], ["1.00", "45"])

    def test_pattern_4_sql(self):
        out = self.tools.execute_code(SQL)
        amounts = [round(50 + n * 3.5, 2) for n in range(100)]
        totals = {f"Customer_{n}": round(sum(amounts[n::20]), 2) for n in range(20)}
        expected = sorted(totals.items(), key=lambda entry: -entry[1])[:10]
        lines = out.splitlines()
        self.assertEqual(lines[0].split(), ["customer", "cnt", "total"])
        self.assertEqual([line.split() for line in lines[1:]], [[name, "5", f"{total:.1f}"] for name, total in expected])

    def test_pattern_5_the_web_is_not_there(self):
        told = json.loads(self.tools.execute_code(FETCH))
        self.assertEqual(told["status"], "error")
        self.assertEqual(told["code_snippet"], FETCH[:300])
        self.assertIn("requests.exceptions.ConnectionError", told["error"])
        # At once: a lookup that hangs would cost an agent its turn.
        spent = self.tools.session.call("executeCode", code="import socket\nsocket.gethostbyname('api.example.com')")
        self.assertTrue(spent["isError"])
        self.assertLess(spent["structuredContent"]["executionTime"], 2)

    def test_pattern_6_several_steps(self):
        session = self.tools.session
        self.tools.execute_code(
            "import pandas as pd\ndf = pd.DataFrame({'n': range(10), 'k': list('ab') * 5}).drop(index=0)\nprint(len(df))"
        )
        chart = self.tools.execute_code(
            "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\n"
            "sums = df.groupby('k')['n'].sum()\nsums.plot.bar()\nplt.savefig('sums.png')\nprint(sums.to_dict())",
            output_filename="sums.png",
        )
        self.assertIn("{'a': 20, 'b': 25}", json.loads(chart)["content"][0]["text"])
        self.assertEqual(kit.drawn(self.tools.store["documents/user/chat/image/sums.png"]), (640, 480))
        self.assertEqual(self.tools.execute_code("df.to_csv('out.csv', index=False)"), "(no output)")
        lines = session.read("out.csv").splitlines()
        self.assertEqual((lines[0], len(lines), lines[-1]), ("n,k", 10, "9,b"))

    def test_a_typo_in_the_files_name_is_told(self):
        told = json.loads(self.tools.execute_code("print('made')", output_filename="other.png"))
        self.assertEqual(
            told,
            {"warning": "Code executed but could not download 'other.png'.", "stdout": "made", "status": "partial"},
        )
