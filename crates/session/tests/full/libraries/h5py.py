import h5py
import numpy as np

with h5py.File("data.h5", "w") as file:
    file.create_dataset("group/table", data=np.arange(12).reshape(3, 4), compression="gzip")
with h5py.File("data.h5") as file:
    assert file["group/table"][2].tolist() == [8, 9, 10, 11]
