import numpy as np
import xarray as xr

array = xr.DataArray(np.arange(6).reshape(2, 3), dims=("y", "x"), coords={"x": [10, 20, 30]})
assert array.sel(x=20).sum().item() == 5
