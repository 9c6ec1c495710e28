import torch
from torchvision import models, transforms
from torchvision.ops import nms

image = transforms.functional.gaussian_blur(torch.rand(3, 64, 64), 5)
with torch.no_grad():
    assert models.resnet18(weights=None).eval()(image[None]).shape == (1, 1000)
boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]])
assert nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist() == [0, 2]
