import io

from tqdm.auto import tqdm

shown = io.StringIO()
assert sum(tqdm(range(5), file=shown)) == 10 and "5/5" in shown.getvalue()
