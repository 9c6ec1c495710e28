import numpy as np
from skimage import filters, measure

image = np.zeros((60, 60))
image[10:20, 10:20] = image[40:50, 30:50] = 1
assert measure.label(filters.gaussian(image, 1) > 0.5).max() == 2
