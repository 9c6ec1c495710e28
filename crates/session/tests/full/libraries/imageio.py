import imageio.v3 as iio
import numpy as np

frames = np.zeros((10, 48, 64, 3), np.uint8)
frames[:, :, :, 0] = np.arange(10)[:, None, None] * 25
iio.imwrite("red.gif", frames)
iio.imwrite("red.mp4", frames, fps=10)
assert iio.imread("red.gif").shape[0] == 10 and iio.imread("red.mp4").shape == (10, 48, 64, 3)
