import cv2
import numpy as np

image = np.zeros((100, 100, 3), np.uint8)
cv2.rectangle(image, (20, 20), (60, 60), (255, 255, 255), -1)
edges = cv2.Canny(cv2.GaussianBlur(image, (5, 5), 0), 50, 150)
contours, _ = cv2.findContours(edges, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
assert len(contours) == 1 and cv2.imwrite("edges.png", edges) and cv2.imread("edges.png").shape == (100, 100, 3)
